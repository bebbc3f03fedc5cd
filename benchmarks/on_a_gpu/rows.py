"""The table of all steps: a row for each thing that was measured, rewritten after each repeat."""

import csv
import io
import statistics
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from transferkit.config import Device
from transferkit.disk import atomic
from transferkit.training.machine import device_name, versions

FILE = "gpu.csv"
CHECK = "passed"  # the unit of a check: 1 or 0


@dataclass(frozen=True)
class Place:
    """Where a step runs: device, prepared data, a folder for scratch and one for results; a dry run is smallest."""

    device: Device
    data: Path
    work: Path
    out: Path
    dry_run: bool = False


@dataclass
class Rows:
    """The rows of one step, which replace those that the file holds of an earlier call, and its failed checks."""

    step: str
    place: Place
    failed: list[str] = field(default_factory=list)
    _values: dict[tuple[str, str, str], list[tuple[float, float]]] = field(default_factory=dict)
    _since: float = field(default_factory=time.perf_counter)

    def add(self, what: str, found: Mapping[str, float], precision: str = "") -> None:
        """Add one repeat of a measurement, its values by unit. It took the time since the last one was added."""
        seconds, self._since = time.perf_counter() - self._since, time.perf_counter()
        for unit, value in found.items():
            self._values.setdefault((what, unit, precision), []).append((value, seconds))
        path = self.place.out / FILE
        kept = list(csv.DictReader(path.read_text().splitlines())) if path.exists() else []
        own = [self._row(*key) for key in self._values]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(own[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows([*(row for row in kept if row["step"] != self.step), *own])
        atomic.write_bytes(path, text.getvalue().encode())

    @contextmanager
    def check(self, what: str) -> Iterator[None]:
        """Add whether the body came to its end. If it raises, that is printed, and the step goes on."""
        passed = False
        try:
            yield
            passed = True
        except Exception:
            sys.stderr.write(traceback.format_exc())
            self.failed.append(what)
        self.add(what, {CHECK: float(passed)})

    def _row(self, what: str, unit: str, precision: str) -> dict[str, object]:
        values, seconds = zip(*self._values[what, unit, precision], strict=True)
        return {
            "step": self.step, "what": what, "precision": precision, "unit": unit, "value": statistics.median(values),
            "low": min(values), "high": max(values), "n": len(values), "seconds": round(sum(seconds), 3),
            "device": device_name(self.place.device), "data": self.place.data.name,
            "size": "dry run" if self.place.dry_run else "full", **versions(), "date": f"{datetime.now(UTC):%Y-%m-%d}",
        }  # fmt: skip
