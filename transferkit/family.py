"""Processes and those they start: workers that end with their parent, and all that a notebook left, found by a mark."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import BaseContext
from pathlib import Path

import psutil

MARK = "TRANSFERKIT_BATCH_MARK"
ROUNDS = 20  # of searching and killing, since what is about to be killed may be starting others
NEEDED = ("transferkit.abreast", "transferkit.network.winners")  # by what trains networks on a processor; torch, too
GONE = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, OSError)


def forking() -> BaseContext:
    """How processes that train on a processor are begun: on Linux, forked from one that has imported what is NEEDED.

    That one is kept until this process ends, so that a second sweep's workers are there at once.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(NEEDED))
    with _interrupts_held_back():  # for good in what is begun: Ctrl-C would break off its imports with a traceback
        forkserver.ensure_running()
    return context


def fork_soon() -> None:
    """Let `forking` import what is needed from now on, while this process does so itself.

    Not beside a GPU, nor in one of the processes of torchrun, which start no workers.
    """
    if not Path("/dev/nvidiactl").exists() and "MASTER_ADDR" not in os.environ:
        forking()


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    resource_tracker.ensure_running()  # to begin it later would let interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def tie_to_parent() -> None:
    """End this worker when its parent is gone, however that died; the parent alone decides what Ctrl-C means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)


def kill(mark: str) -> None:
    """End (SIGKILL) every process with this mark but the caller, until none is found."""
    for _ in range(ROUNDS):
        members = list(_members(mark))
        for member in members:
            try:
                member.kill()
            except GONE:
                continue
        if not members:
            return
        time.sleep(0.02)


def _members(mark: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            if process.environ().get(MARK) == mark:
                yield process
        except GONE:
            continue


def describe_exit(status: int | None) -> str:
    """How a process ended, from its exit status as `subprocess` gives it, to follow "it"."""
    if status is None:
        return "vanished"
    if status >= 0:
        return f"ended itself with exit status {status}"
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    return f"was killed by {name}" + (" (out of memory?)" if -status == signal.SIGKILL else "")


class Memory:
    """The memory that all children of this process together take: sampled twice a second while `with` lasts."""

    def __init__(self, every_seconds: float = 0.5) -> None:
        self.peak = 0  # bytes
        self._every = every_seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def sample(self) -> None:
        """Look now, too: what runs for less than the interval would not be seen otherwise."""
        total = 0
        for child in psutil.Process().children(recursive=True):
            try:
                total += child.memory_info().rss
            except GONE:
                continue
        self.peak = max(self.peak, total)

    def _watch(self) -> None:
        while not self._over.wait(self._every):
            self.sample()
