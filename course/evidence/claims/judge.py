"""A claim, and the rule that says whether an estimate supports it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from course.evidence.claims.tables import Evidence
from course.evidence.precision import further_clusters
from transferkit.results import Estimate
from transferkit.splits import DRAWN, is_of_kind

Verdict = Literal["holds", "fails", "undecided", "no data"]
Rule = Literal["more", "less", "no loss", "equal"]


@dataclass(frozen=True)
class Claim:
    """One sentence that networks can support or refute.

    `statistic` says in words what `measure` computes from the evidence; times `scale` it is in `unit`. `kind` and
    `margin` (the smallest difference that matters, in that unit) choose the rule of `judge`. `series` names the series
    of the evidence that gives the data.
    """

    key: str
    sentence: str
    source: str
    statistic: str
    kind: Rule
    series: str
    measure: Callable[[Evidence], Estimate | None]
    unit: str = "points"
    scale: float = 100.0
    margin: float = 1.0


def judge(claim: Claim, found: Estimate | None) -> tuple[Verdict, float]:
    """The verdict, and how many more splits (or seeds) would decide it if they scatter like the present ones.

    With the 95 % interval low..high and margin m: "more" holds if low > 0, fails if high < m; "less" mirrors that
    below zero; "no loss" holds if low > -m, fails if high < -m; "equal" holds if -m < low and high < m (two one-sided
    tests), fails if the interval lies beyond m on either side. Otherwise it is undecided. The number is 0 when it is
    decided, NaN without an interval, and infinite beyond a thousand.
    """
    if found is None:
        return "no data", np.nan
    low, high = (claim.scale * bound for bound in interval_of(found))
    if np.isnan(low):
        return "undecided", np.nan
    for verdict, margins in _distances(claim, low, high).items():
        if min(margins) > 0:
            return verdict, 0.0
    value = claim.scale * found.value
    reach = max(min(margins) for margins in _distances(claim, value, value).values())
    return "undecided", further_clusters(found, reach / claim.scale)


def interval_of(found: Estimate) -> tuple[float, float]:
    """The 95 % interval; NaN for seeds of a single random split, which is one draw of many."""
    return (np.nan, np.nan) if single_draws(found) else found.interval()


def single_draws(found: Estimate) -> list[str]:
    """The drawn splits whose seeds alone gave this estimate."""
    return [split for split in found.seeds_of if is_of_kind(split, *DRAWN)]


def _distances(claim: Claim, low: float, high: float) -> dict[Verdict, tuple[float, ...]]:
    """How far the interval lies inside the region of each verdict: it is inside if all numbers are positive."""
    margin = claim.margin
    if claim.kind == "more":
        return {"holds": (low,), "fails": (margin - high,)}
    if claim.kind == "less":
        return {"holds": (-high,), "fails": (margin + low,)}
    if claim.kind == "no loss":
        return {"holds": (low + margin,), "fails": (-margin - high,)}
    return {"holds": (low + margin, margin - high), "fails": (max(low - margin, -margin - high),)}
