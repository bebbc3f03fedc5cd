"""The readings of Figure 2 of Yosinski et al. 2014, with the numbers of section 4.1: which of them hold here."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from transferkit.figures.lines import Floats, Line
from transferkit.figures.style import EDGE_WIDTH, INK, SMALL_SIZE
from transferkit.treatments import Treatment

NOTEWORTHY = 1.0  # points: a smaller difference of means is not called one
_CLEAR = (0.32, 0.09)  # chop points and a part of the axis: numbers nearer than both are moved

SECOND = 0  # no reading of the paper: what it must be compared with
READINGS: dict[int, tuple[Treatment, Treatment, str]] = {
    SECOND: ("BnB+", "base", "BnB+ above base: what a second training gives"),
    2: ("base", "BnB", "BnB below base: fragile co-adaptation"),
    3: ("BnB+", "BnB", "BnB+ back up: fine-tuning recovers it"),
    4: ("BnB", "AnB", "AnB below BnB: specificity"),
    5: ("AnB+", "BnB+", "AnB+ above BnB+: the other task helps"),
}


@dataclass(frozen=True)
class Reading:
    """A reading that holds: at these n the `upper` treatment lies clearly above the `lower` one."""

    number: int
    upper: Treatment
    lower: Treatment
    words: str
    at: tuple[int, ...]


def find_readings(summary: pd.DataFrame) -> tuple[Reading, ...]:
    """The readings that hold, by number; `summary` comes from `results.summarise`.

    One treatment is clearly above another at n when their mean paired differences are at least NOTEWORTHY
    apart and no interval, where there is one, reaches the other mean. Reading 3 needs n where 2 holds, and
    BnB+ no further than NOTEWORTHY below the base there.
    """
    clear = {number: _clear(summary, upper, lower) for number, (upper, lower, _) in READINGS.items()}
    fine_tuned = _points(summary, "BnB+")["paired"]
    clear[3] = [n for n in clear[3] if n in clear[2] and fine_tuned[n] > -NOTEWORTHY]
    return tuple(
        Reading(number, upper, lower, words, tuple(clear[number]))
        for number, (upper, lower, words) in READINGS.items()
        if clear[number]
    )


def mark_readings(ax: Axes, readings: tuple[Reading, ...], lines: dict[Treatment, Line]) -> None:
    """Write each number, in a ring, between the two lines it speaks of, where they are furthest apart."""
    low, high = ax.get_ylim()
    taken: list[tuple[float, float]] = []
    for reading in (one for one in readings if one.number != SECOND):
        for x, y in _places(reading, lines):
            if all(abs(x - a) > _CLEAR[0] or abs(y - b) > _CLEAR[1] * (high - low) for a, b in taken):
                taken.append((x, y))
                ring = {"boxstyle": "circle,pad=0.22", "facecolor": "white", "edgecolor": INK, "linewidth": EDGE_WIDTH}
                ax.text(
                    x, y, str(reading.number), fontsize=SMALL_SIZE, color=INK, ha="center", va="center", bbox=ring,
                    zorder=5, gid="reading",
                )  # fmt: skip
                break


def _places(reading: Reading, lines: dict[Treatment, Line]) -> list[tuple[float, float]]:
    """Between two neighbouring n, one of them the reading's, in the middle of the two lines; the widest gap first."""
    upper, lower = (heights(lines, treatment) for treatment in (reading.upper, reading.lower))
    places = []
    for left, right in pairwise(range(len(upper))):
        if {left, right} & set(reading.at):
            top, bottom = (upper[left] + upper[right]) / 2, (lower[left] + lower[right]) / 2
            if np.isfinite(top - bottom):
                places.append((top - bottom, left + 0.5, (top + bottom) / 2))
    if not places:  # no neighbour was trained: beside the markers
        places = [(upper[n] - lower[n], n - 0.45, (upper[n] + lower[n]) / 2) for n in reading.at]
    return [(x, y) for _, x, y in sorted(places, reverse=True)]


def heights(lines: dict[Treatment, Line], treatment: Treatment) -> Floats:
    """The means of a treatment over n; those of the base are 0 everywhere."""
    line = lines[treatment].mean
    return np.zeros_like(line) if treatment == "base" else line


def _clear(summary: pd.DataFrame, upper: Treatment, lower: Treatment) -> list[int]:
    one, other = _points(summary, upper), _points(summary, lower)
    n = [n for n in one.index.intersection(other.index) if n > 0]
    above, below = one.loc[n], other.loc[n]
    far = above["paired"] - below["paired"] >= NOTEWORTHY
    reached = (below["high"] >= above["paired"]) | (above["low"] <= below["paired"])  # False where there is no interval
    return [int(place) for place in far[far & ~reached].index]


def _points(summary: pd.DataFrame, treatment: Treatment) -> pd.DataFrame:
    """Paired difference and interval in points by n; for the base, zeros at every n."""
    if treatment == "base":
        n = sorted(set(summary["n"]))
        return pd.DataFrame({"paired": 0.0, "low": np.nan, "high": np.nan}, index=pd.Index(n))
    return 100 * summary[summary["treatment"] == treatment].set_index("n")[["paired", "low", "high"]]
