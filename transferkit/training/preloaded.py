"""What the process that workers are forked from imports before the first of them: torch, once for all of them.

A file of its own because the first thing it does is to leave Ctrl-C to the parent: broken off, its imports would print
a traceback. `multiprocessing` imports it by name.
"""

import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)

import transferkit.training.experiment  # noqa: E402, F401
