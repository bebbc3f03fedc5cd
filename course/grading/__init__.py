"""Grading: try a folder of submitted notebooks in a sandbox, and write one page about all of them.

command      `python -m transferkit grade`: its options and what it does
page         grades.html, grades.csv and stuck.csv
stuck        where the class is stuck
drive        all submissions over workers
records      the grades of each submission, kept so that it is graded once
grade        one submission: one sandbox asks its exercises, another judges the answers
session      a process in a sandbox, watched for time and memory
asker        the process that runs a stranger's code: `python -m course.grading.asker`
judge        the process that judges the answers, and never runs a stranger's code: `python -m course.grading.judge`
sandbox      what a process may see, do and use: bubblewrap's command line, and limits
frames       the messages between a session and its process
notebook     the exercises' cells of a submitted notebook, read with distrust
submissions  who handed in what

hostile and attacks measure all this with notebooks that attack the grader. Each module imports only modules below it.
Nothing that a stranger wrote is run, unpickled or trusted outside of `asker`.
"""
