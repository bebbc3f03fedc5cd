"""The processes of a notebook: find all of them by a mark, say how one ended, and measure their memory."""

import os
import signal
import threading
import time
from collections.abc import Iterator

import psutil

MARK = "TRANSFERKIT_BATCH_MARK"
ROUNDS = 20  # of searching and killing: a process may start another just before it is killed
GONE = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess, OSError)


def kill(mark: str) -> None:
    """Kill (SIGKILL) every process with this mark except the caller, until none is found."""
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
    """How a process ended, in words that follow "it"; `status` is an exit status as `subprocess` gives it."""
    if status is None:
        return "vanished"
    if status >= 0:
        return f"ended itself with exit status {status}"
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    return f"was killed by {name}" + (" (out of memory?)" if -status == signal.SIGKILL else "")


class Memory:
    """The peak memory of all children of this process together, sampled twice a second inside a `with`.

    `processor` is the processor time of each of them, in seconds, also of those that have ended since.
    """

    def __init__(self, every_seconds: float = 0.5) -> None:
        self.peak = 0  # bytes
        self.processor: dict[int, float] = {}
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
        """Take one more sample now, to catch a child that runs for less than the interval."""
        total = 0
        for child in psutil.Process().children(recursive=True):
            try:
                total += child.memory_info().rss
                self.processor[child.pid] = sum(child.cpu_times()[:2])
            except GONE:
                continue
        self.peak = max(self.peak, total)

    def _watch(self) -> None:
        while not self._over.wait(self._every):
            self.sample()
