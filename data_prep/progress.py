"""Progress of a preparation on the standard error: a bar on a terminal, else a line now and then."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import Progress

from data_prep.prepared import Tell

SECONDS = 10.0  # between lines, where there is no terminal


@dataclass
class Clock:
    """How fast things go, counted from what was there when it was first told."""

    unit: str
    first: int | None = None
    begun: float = 0.0
    said: float = 0.0
    done: int = 0

    def hear(self, done: int) -> None:
        """Note that so many units are done."""
        if self.first is None:
            self.first, self.begun, self.said = done, time.monotonic(), time.monotonic()
        self.done = done

    def rate(self) -> float:
        """Units a second since the start."""
        return (self.done - (self.first or 0)) / max(time.monotonic() - self.begun, 1e-9)

    def told(self) -> str:
        """The rate in words, as in "512 images/s"."""
        return f"{self.rate():,.0f} {self.unit}/s" if self.unit != "bytes" else f"{self.rate() / 1e6:,.1f} MB/s"


@contextmanager
def showing(what: str, unit: str) -> Iterator[Tell]:
    """A function to tell how many units ("images", "bytes") are done; at the end the rate is said, if any were done."""
    clock = Clock(unit)
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)

        def tell(done: int, total: int) -> None:
            clock.hear(done)
            bar.update(task, completed=done, total=total, description=f"{what}, {clock.told()}")
            if bar.disable and time.monotonic() - clock.said > SECONDS:
                clock.said = time.monotonic()
                _say(f"{what}: {100 * done // max(total, 1)} %, {clock.told()}")

        yield tell
    if clock.first is not None and clock.done > clock.first:
        _say(f"{what}: {clock.done - clock.first:,} {unit} in {time.monotonic() - clock.begun:.1f} s, {clock.told()}")


def _say(text: str) -> None:
    Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)
