"""Progress of a preparation on standard error: a bar on a terminal, otherwise a line now and then."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import Progress

Tell = Callable[[int, int], None]  # called with the number of steps done and of all steps
SECONDS = 10.0  # between lines, where there is no terminal


def silent(done: int, total: int) -> None:
    """Show no progress."""


@dataclass
class Pace:
    """How fast the work goes, counted from the first report."""

    unit: str
    first: int | None = None
    begun: float = 0.0
    said: float = 0.0
    done: int = 0

    def hear(self, done: int) -> None:
        """Note how many units are done."""
        if self.first is None:
            self.first, self.begun, self.said = done, time.monotonic(), time.monotonic()
        self.done = done

    def rate(self) -> float:
        """Units a second since the start."""
        return (self.done - (self.first or 0)) / max(time.monotonic() - self.begun, 1e-9)

    def words(self) -> str:
        """The rate in words, as in "512 images/s"."""
        return f"{self.rate():,.0f} {self.unit}/s" if self.unit != "bytes" else f"{self.rate() / 1e6:,.1f} MB/s"


@contextmanager
def showing(what: str, unit: str) -> Iterator[Tell]:
    """Yield a function to call with the number of units ("images", "bytes") done; the last line gives the rate."""
    pace = Pace(unit)
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)

        def tell(done: int, total: int) -> None:
            pace.hear(done)
            bar.update(task, completed=done, total=total, description=f"{what}, {pace.words()}")
            if bar.disable and time.monotonic() - pace.said > SECONDS:
                pace.said = time.monotonic()
                _say(f"{what}: {100 * done // max(total, 1)} %, {pace.words()}")

        yield tell
    if pace.first is not None and pace.done > pace.first:
        _say(f"{what}: {pace.done - pace.first:,} {unit} in {time.monotonic() - pace.begun:.1f} s, {pace.words()}")


def _say(text: str) -> None:
    Console(stderr=True).print(text, markup=False, highlight=False, soft_wrap=True)
