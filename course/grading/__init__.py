"""Grading: try a folder of submitted notebooks in a sandbox, and write one page about all of them.

command      `python -m transferkit grade`: its options and what it does
page         grades.html, grades.csv and stuck.csv
stuck        where the class is stuck
drive        all submissions over workers
records      the grades of each submission, kept so that it is graded once
grade        the grades of one submission, judged from what came out of its sandbox
ask          ask all answers of one notebook, in a sandbox of its own
session      a process in a sandbox, watched for time and memory
watch        a session's processes, seen from outside
judge        the process that judges the answers, and never runs a stranger's code: `python -m course.grading.judge`
sandbox      what a process may see and do: bubblewrap's command line
notebook     the code cells of a submitted notebook, read with distrust
submissions  who handed in what

hostile and attacks measure all this with notebooks that attack the grader. Each module imports only modules below it.
Nothing that a stranger wrote is run, parsed as Python, unpickled or trusted outside of the process that asks
(`course.asking.asker`). A sandbox holds what asks and nothing that judges.
"""
