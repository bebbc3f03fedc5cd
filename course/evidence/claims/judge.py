"""A claim, and the rule that says whether an estimate supports it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from course.evidence.claims.tables import Evidence
from course.evidence.precision import further_clusters
from transferkit.results import Estimate
from transferkit.splits import is_drawn

Verdict = Literal["holds", "fails", "undecided", "no data"]
Kind = Literal["more", "less", "no loss", "equal"]


@dataclass(frozen=True)
class Claim:
    """One sentence that networks can support or refute.

    `statistic` says in words what `measure` computes from the evidence, in `unit` once multiplied by `scale`.
    `kind` and `margin` (in that unit, the smallest difference that matters) make the rule of `judge`. `study` is
    the one of `evidence` that gives the data.
    """

    key: str
    sentence: str
    source: str
    statistic: str
    kind: Kind
    study: str
    measure: Callable[[Evidence], Estimate | None]
    unit: str = "points"
    scale: float = 100.0
    margin: float = 1.0


def judge(claim: Claim, found: Estimate | None) -> tuple[Verdict, float]:
    """The verdict, and how many further splits (or seeds) would decide it if they are like those there are.

    With the 95 % interval low..high and margin m: "more" holds if low > 0, fails if high < m; "less" the same below
    zero; "no loss" holds if low > -m, fails if high < -m; "equal" holds if -m < low and high < m (two one-sided
    tests), fails if the interval lies beyond m on either side. Else it is undecided. The number is 0 once
    decided, NaN without an interval, infinite beyond a thousand.
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
    """The 95 % interval of a claim: none from the seeds of one random split, which is one draw of many."""
    if any(is_drawn(split) for split in found.seeds_of):
        return np.nan, np.nan
    return found.interval()


def _distances(claim: Claim, low: float, high: float) -> dict[Verdict, tuple[float, ...]]:
    """How far the interval is inside the region of each verdict: within, if all are positive."""
    margin = claim.margin
    if claim.kind == "more":
        return {"holds": (low,), "fails": (margin - high,)}
    if claim.kind == "less":
        return {"holds": (-high,), "fails": (margin + low,)}
    if claim.kind == "no loss":
        return {"holds": (low + margin,), "fails": (-margin - high,)}
    return {"holds": (low + margin, margin - high), "fails": (max(low - margin, -margin - high),)}
