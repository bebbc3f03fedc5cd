"""Answers to the exercises of lesson 08, right and wrong."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import stdtrit

from course.evidence.precision import further_clusters
from course.exercises.planted.answer import Planted
from transferkit.results import Estimate, estimate


def planted() -> dict[str, Planted]:
    """The answers, by exercise."""
    return {
        "split_interval": Planted(
            right=(interval_of_library, interval_of_scipy),
            wrong={
                "over networks": lambda table: _interval(100 * table["paired"]),
                "normal": lambda table: _interval(_means(table), factor=1.96),
                "the deviation for the error": lambda table: _interval(_means(table), root=False),
                "the population's deviation": lambda table: _interval(_means(table), ddof=0),
                "fractions": lambda table: _interval(_means(table) / 100),
                "one-sided": lambda table: _interval(_means(table), level=0.95),
                "freedom of the networks": lambda table: _interval(
                    _means(table), factor=float(stats.t.ppf(0.975, len(table) - 1))
                ),
                "freedom not reduced by one": lambda table: _interval(
                    _means(table), factor=float(stats.t.ppf(0.975, len(_means(table))))
                ),
                "about the mean of networks": interval_about_networks,
                "least and largest": lambda table: (float(_means(table).min()), float(_means(table).max())),
                "upper end first": lambda table: interval_of_library(table)[::-1],
                "99 %": lambda table: _interval(_means(table), level=0.995),
                "over targets": lambda table: _interval(100 * table.groupby("target")["paired"].mean()),
            },
        ),
        "no_difference": Planted(
            right=(verdict_by_cases, verdict_by_distance),
            wrong={
                "zero is within": lambda low, high, margin: "holds" if low < 0 < high else "fails",
                "significant is large": lambda low, high, margin: (
                    verdict_by_cases(low, high, margin) if low < 0 < high else "fails"
                ),
                "the estimate alone": lambda low, high, margin: "holds" if abs(low + high) / 2 < margin else "fails",
                "never undecided": lambda low, high, margin: "holds" if -margin < low and high < margin else "fails",
                "never fails": lambda low, high, margin: "holds" if -margin < low and high < margin else "undecided",
                "the upper end alone": lambda low, high, margin: (
                    "holds" if high < margin else "fails" if low > margin else "undecided"
                ),
                "by the width": lambda low, high, margin: "holds" if high - low < 2 * margin else "undecided",
                "holds at the margin": lambda low, high, margin: (
                    "holds" if -margin <= low and high <= margin else verdict_by_cases(low, high, margin)
                ),
                "both ends are large": lambda low, high, margin: (
                    "fails" if min(abs(low), abs(high)) > margin else verdict_by_cases(low, high, margin)
                ),
                "a margin of 1": lambda low, high, margin: verdict_by_cases(low, high, 1.0),
                "holds is fails": lambda low, high, margin: {"holds": "fails", "fails": "holds"}.get(
                    verdict_by_cases(low, high, margin), "undecided"
                ),
            },
        ),
        "further_splits": Planted(
            right=(further_by_library, further_by_array),
            wrong={
                "all and not further": lambda differences, half: further_by_array(differences, half) + len(differences),
                "normal": lambda differences, half: max(
                    math.ceil((1.96 * np.std(differences, ddof=1) / half) ** 2) - len(differences), 0
                ),
                "the error for the deviation": further_by_error,
                "in proportion": further_in_proportion,
                "below zero": further_below_zero,
                "the population's deviation": lambda differences, half: further_by_array(
                    np.array(differences) * math.sqrt(1 - 1 / len(differences)), half
                ),
                "half of the width": lambda differences, half: further_by_array(
                    np.array(differences) * 2, half, 20_000
                ),
                "t of G": lambda differences, half: further_by_array(differences, half, more=1),
                "at most 20": lambda differences, half: min(further_by_array(differences, half), 20),
                "at most 100 in all": lambda differences, half: further_by_array(differences, half, 100),
                "today's t": further_by_todays_t,
                "always one": lambda differences, half: 1,
            },
        ),
    }


def interval_of_library(table: pd.DataFrame) -> tuple[float, float]:
    """By the library."""
    found = estimate(table)
    assert found is not None
    low, high = found.interval()
    return 100 * low, 100 * high


def interval_of_scipy(table: pd.DataFrame) -> np.ndarray:
    """By SciPy."""
    means = _means(table)
    return np.array(stats.t.interval(0.95, len(means) - 1, loc=means.mean(), scale=stats.sem(means)))


def interval_about_networks(table: pd.DataFrame) -> tuple[float, float]:
    """Wrong: a split with many networks counts more."""
    low, high = interval_of_library(table)
    moved = 100 * float(table["paired"].mean()) - (low + high) / 2
    return low + moved, high + moved


def _means(table: pd.DataFrame) -> pd.Series:
    return 100 * table.groupby("split")["paired"].mean()


def _interval(
    values: pd.Series, *, factor: float | None = None, root: bool = True, ddof: int = 1, level: float = 0.975
) -> tuple[float, float]:
    error = values.std(ddof=ddof) / (math.sqrt(len(values)) if root else 1)
    half = error * (factor or float(stats.t.ppf(level, len(values) - 1)))
    return float(values.mean() - half), float(values.mean() + half)


def verdict_by_cases(low: float, high: float, margin: float) -> str:
    """Case by case."""
    if low > margin:
        return "fails"
    if high < -margin:
        return "fails"
    if max(abs(low), abs(high)) < margin:
        return "holds"
    return "undecided"


def verdict_by_distance(low: float, high: float, margin: float) -> str:
    """By the least and the largest absolute difference in the interval."""
    least, largest = (0.0 if low < 0 < high else min(abs(low), abs(high))), max(abs(low), abs(high))
    return "holds" if largest < margin else "fails" if least > margin else "undecided"


def further_by_library(differences: Sequence[float], half_width: float) -> float:
    """By the library."""
    count = len(differences)
    error = float(np.std(differences, ddof=1) / math.sqrt(count))
    return further_clusters(Estimate(float(np.mean(differences)), error, count - 1, count, count), half_width)


def further_by_array(
    differences: Sequence[float] | np.ndarray, half_width: float, most: int = 1001, more: int = 0
) -> int:
    """All numbers at once; wrong if there are not enough of them, or more degrees of freedom than there should be."""
    counts = np.arange(2, most)
    halves = stdtrit(counts - 1 + more, 0.975) * np.std(differences, ddof=1) / np.sqrt(counts)
    return max(int(counts[np.argmax(halves <= half_width)]) - len(differences), 0)


def further_by_error(differences: Sequence[float], half_width: float) -> int:
    """Wrong."""
    return further_by_array(np.array(differences) / math.sqrt(len(differences)), half_width)


def further_in_proportion(differences: Sequence[float], half_width: float) -> int:
    """Wrong."""
    count = len(differences)
    half = stats.t.ppf(0.975, count - 1) * np.std(differences, ddof=1) / math.sqrt(count)
    return max(math.ceil(count * half / half_width) - count, 0)


def further_below_zero(differences: Sequence[float], half_width: float) -> int:
    """Wrong: below zero where there are more splits than needed."""
    counts = np.arange(2, 1001)
    halves = stdtrit(counts - 1, 0.975) * np.std(differences, ddof=1) / np.sqrt(counts)
    return int(counts[np.argmax(halves <= half_width)]) - len(differences)


def further_by_todays_t(differences: Sequence[float], half_width: float) -> int:
    """Wrong: takes Student's t for today's number of splits."""
    factor = stats.t.ppf(0.975, len(differences) - 1)
    return max(math.ceil((factor * np.std(differences, ddof=1) / half_width) ** 2) - len(differences), 0)
