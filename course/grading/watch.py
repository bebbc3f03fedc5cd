"""A session's processes, seen from outside: how many they are, their memory, and the time that they spend of their own.

On a crowded machine a process waits for a processor, and an honest answer takes longer by the clock for no fault of its
own. So time counts only while a process computes or sleeps.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from course import processes

LONGEST_PAUSE = 0.5  # seconds between two looks that count as sleep; after more, it was this process that was stopped
WAITING = ("R", "D")  # states of a thread that would go on if the machine let it


class OwnTime:
    """The seconds that processes have spent computing or asleep since the first look."""

    def __init__(self, members: Sequence[psutil.Process]) -> None:
        self.seconds = 0.0
        self._computed, self._looked = _computed(members), time.monotonic()

    def look(self, members: Sequence[psutil.Process]) -> None:
        """Add what they have spent since the last look."""
        computed, now = _computed(members), time.monotonic()
        spent = max(0.0, computed - self._computed)
        if not spent and not any(map(_waits, members)):
            spent = min(now - self._looked, LONGEST_PAUSE)
        self.seconds += spent
        self._computed, self._looked = computed, now


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it has started."""
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except processes.GONE:
        return []


def own_memory(members: Sequence[psutil.Process]) -> int:
    """Bytes of memory of processes, without files; memory that several share is divided among them."""
    return sum(map(_own_memory, members))


def _computed(members: Sequence[psutil.Process]) -> float:
    """Seconds of processor time, with those of processes that have ended and were waited for."""
    total = 0.0
    for member in members:
        try:
            total += sum(member.cpu_times()[:4])
        except processes.GONE:
            continue
    return total


def _waits(process: psutil.Process) -> bool:
    """Whether some thread of it waits for a processor or a disk; yes if nobody can tell."""
    try:
        threads = list(Path(f"/proc/{process.pid}/task").iterdir())
        return any((thread / "stat").read_text().rpartition(")")[2].split()[0] in WAITING for thread in threads)
    except FileNotFoundError:
        return not Path("/proc/self/stat").exists()  # on other systems the processor time has to do
    except (OSError, IndexError):
        return False


def _own_memory(process: psutil.Process) -> int:
    try:
        table = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        shares = {name: line.split() for name, _, line in (row.partition(":") for row in table.splitlines())}
        return 1024 * sum(int(shares[name][0]) for name in ("Pss_Anon", "Pss_Shmem"))
    except (OSError, KeyError, IndexError, ValueError):  # other systems, older kernels, or it has just ended
        return _roughly_own_memory(process)


def _roughly_own_memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except processes.GONE:
        return 0
