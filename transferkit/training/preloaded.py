"""Imported by name in the process that workers are forked from, so that torch is loaded once for all of them.

It is a file of its own because it must first leave Ctrl-C to the parent: an interrupted import would print a traceback.
"""

import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)

import transferkit.training.experiment  # noqa: E402, F401
