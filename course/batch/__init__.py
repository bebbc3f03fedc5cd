"""Batch execution: a folder of notebooks times a grid of parameters, and one page in the morning.

command     `python -m transferkit batch`; options: what it takes
show, page  the progress on a terminal; report.html, report.csv and junit.xml
drive       all tasks over workers here or on a cluster, with retries and the progress
supervise   what a worker executes: start the process of a notebook, watch it, keep the receipt
notebook    that process: `python -m course.batch.notebook`
execute     one notebook through papermill, and how it ended
files       what is kept beside the executed notebook
engine      the papermill engine `transferkit` (`papermill --engine transferkit`), which tells the truth about ends
receipts    what came of a task; a receipt alone decides what is skipped
tasks       one notebook with one set of parameters, and the folder named by its digest
grid        the product of parameters, or an explicit list, from a YAML file
parameters  what a notebook declares; values that are unknown, unread or of a wrong type are refused
slots       GPUs, one notebook each

Each imports only what stands below it. Nothing is imported here, and papermill, nbconvert, Jinja and YAML only where
they are used: the library imports without them.
"""
