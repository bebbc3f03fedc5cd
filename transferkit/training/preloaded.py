"""What the process that workers are forked from imports before the first of them: torch, once for all of them.

A file of its own, since `multiprocessing` imports it by name. Ctrl-C is the parent's to handle: broken off here, an
import would print a traceback, and so would a worker that begins when its parent has gone, with the locks they share.
"""

import signal
import sys

signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.excepthook = lambda kind, problem, trace: (
    None if issubclass(kind, OSError | EOFError) else sys.__excepthook__(kind, problem, trace)
)

import transferkit.training.experiment  # noqa: E402, F401
