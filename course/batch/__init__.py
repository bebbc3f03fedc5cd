"""Batch execution: run a folder of notebooks with a grid of parameters overnight, and read one page in the morning.

command     `python -m transferkit batch`: its options and what it does
dry_run     what it would do, and about how long that takes
show, page  the progress on a terminal; report.html, report.csv and junit.xml
drive       all tasks over workers here or on a cluster, with retries and the progress
supervise   what a worker does: start the process of a notebook, watch it, keep the record
notebook    that process: `python -m course.batch.notebook`
execute     one notebook through papermill, and how it ended
files       what is kept beside the executed notebook
kernels     its kernel: the one asked for, its own, or that of this Python
machine     whether the machine was crowded, or killed it for want of memory
engine      the papermill engine `transferkit` (`papermill --engine transferkit`), which reports honestly how cells end
streams     what its cells print, with one line of a progress bar, in linear time
records     how a task ended; its record alone decides whether it is skipped
tasks       one notebook with one set of parameters, and the folder named by its digest
grid        the product of parameters, or an explicit list, from a YAML file
parameters  what a notebook declares; values that are unknown, unread or of a wrong type are refused
literals    values of parameters: which can be passed on, and how one is written in a grid or for papermill
slots       GPUs, one notebook each

Each module imports only modules below it. Nothing is imported here. Papermill, nbconvert, Jinja and YAML are imported
only where they are used, so the package imports without them.
"""
