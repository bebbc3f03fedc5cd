"""What the machine did to a notebook: it gave it too little processor time, or killed it for want of memory."""

from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import psutil

OWN_SHARE = 0.7  # of the clock: a notebook that got less processor time than this may have waited for it
IDLE_SHARE = 0.1  # a machine with more idle processors than this let nobody wait
COUNTERS = Path("/proc/vmstat")
GUESS = "(out of memory?)"


@dataclass(frozen=True)
class Moment:
    """The clock, the processor seconds this machine has spent, in all and idle, and how many processes it has killed.

    It kills processes when memory runs out; `killed` is None where it does not say.
    """

    clock: float
    spent: float
    idle: float
    killed: int | None

    @classmethod
    def now(cls) -> "Moment":
        """This moment."""
        times = psutil.cpu_times()
        return cls(monotonic(), sum(times[:8]), times.idle + getattr(times, "iowait", 0.0), _killed())

    def idle_share(self, before: "Moment") -> float:
        """The share of the processors (0..1) that nobody used since `before`."""
        spent = self.spent - before.spent
        return (self.idle - before.idle) / spent if spent > 0 else 1.0


def explain_timeout(minutes: float, processor_seconds: float, before: Moment, after: Moment) -> str:
    """Why a notebook did not end in time: it may have had too little of the processor, for others used it."""
    took = after.clock - before.clock
    told = f"not done after {minutes:g} minutes"
    if processor_seconds < OWN_SHARE * took and after.idle_share(before) < IDLE_SHARE:
        return (
            f"{told}, but the machine was crowded: it had a processor for {processor_seconds / 60:.2g} of these. Use "
            "fewer --workers, or give it a longer --timeout."
        )
    return f"{told}: give it a longer --timeout."


def explain_kill(died: str, before: Moment) -> str:
    """How a process died, in words; whether it was for want of memory, if the machine says so."""
    if GUESS not in died:
        return died
    if lack := lack_of_memory(before, Moment.now()):
        return f"{died.replace(f' {GUESS}', '')}, as {lack}"
    return f"{died}: use fewer --workers, or a smaller preset."


def lack_of_memory(before: Moment, after: Moment) -> str:
    """A sentence if the machine has killed processes for want of memory; empty if not, or if it does not say."""
    if before.killed is None or after.killed is None or after.killed <= before.killed:
        return ""
    count = after.killed - before.killed
    killed = f"{count} process{'es' * (count > 1)}"
    return f"memory ran out and the system killed {killed} meanwhile: use fewer --workers, or a smaller preset."


def _killed() -> int | None:
    try:
        counters = dict(line.split() for line in COUNTERS.read_text().splitlines())
        return int(counters["oom_kill"])
    except (OSError, ValueError, KeyError):
        return None
