"""Grading: a folder of submitted notebooks, each tried in a sandbox, and one page about all of them.

command      `python -m transferkit grade`; options: what it takes
page         grades.html, grades.csv and stuck.csv; stuck: where the class is
drive        all submissions over workers
receipts     what came of a submission, so that it is graded once
grade        one submission: its exercises asked in one sandbox, judged in another
session      a process behind a sandbox, watched for time and memory
sandbox      what a process may see and do: bubblewrap's command line
asker        the process that runs a stranger's code: `python -m course.grading.asker`
judge        the process that judges what came out, and never sees code: `python -m course.grading.judge`
frames       how these two are talked to
limits       what they may use
notebook     the exercises' cells of a submitted notebook, read with distrust
submissions  who handed in what

Each imports only what stands below it. Nothing that a stranger wrote is run, unpickled or trusted outside of `asker`.
"""
