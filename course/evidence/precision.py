"""Tests of "no difference", how many more splits or seeds an answer would take, and what one more would say."""

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from transferkit.errors import UsageError
from transferkit.results.estimate import Estimate, estimate
from transferkit.treatments import Treatment

_MOST = 1000  # clusters: an answer that would take more is beyond any budget


def equivalence(found: Estimate, margin: float) -> float:
    """The p-value of two one-sided tests that the true difference is within -margin..margin; NaN for one cluster.

    Below .025 exactly where the 95 % interval lies within the margin, so that the interval shown is the one that
    decides. `margin` is in the unit of the estimate.
    """
    if not found.freedom > 0:
        return np.nan
    if found.error == 0:
        return float(abs(found.value) >= margin)
    above, below = (found.value + margin) / found.error, (margin - found.value) / found.error
    return float(max(stdtr(found.freedom, -above), stdtr(found.freedom, -below)))


def further_clusters(found: Estimate, half_width: float, level: float = 0.95) -> float:
    """How many more splits (or seeds) bring the interval to this half-width, if they scatter like those there are.

    0 when it is there already; NaN with one cluster, whose scatter is unknown; infinite beyond a thousand, or for a
    half-width of zero.
    """
    if not found.freedom > 0:
        return np.nan
    counts = np.arange(2, _MOST + 1)
    spread = found.error * np.sqrt(found.clusters)
    widths = stdtrit(counts - 1, (1 + level) / 2) * spread / np.sqrt(counts)
    enough = counts[widths <= half_width]
    return float(max(0, enough[0] - found.clusters)) if half_width > 0 and enough.size else np.inf


def predict_next(table: pd.DataFrame, unseen: pd.DataFrame, treatment: Treatment) -> pd.DataFrame:
    """What networks of several splits say of one that they do not hold, per n that it has, in points.

    `mean` of the paired differences of `table`, `low` and `high` where a further split is expected (95 %), what
    `came` in `unseen`, and whether that is `inside`. Where `table` has an n in one split only, bounds are NaN and
    `inside` is missing: how its seeds scatter says nothing about another split. Raises UsageError when `unseen` is no
    single further split.
    """
    splits = set(unseen["split"])
    if len(splits) != 1 or splits & set(table["split"]):
        given, known = (", ".join(sorted(set(one["split"]))) or "no split" for one in (unseen, table))
        raise UsageError(
            f"{given} cannot test what {known} predict: give networks of one split that is not among these."
        )
    rows = []
    for n, group in unseen[unseen["treatment"] == treatment].groupby("n"):
        found = estimate(table[(table["treatment"] == treatment) & (table["n"] == n)])
        if found:
            bounds = (np.nan, np.nan) if found.seeds_of else found.interval_of_next()
            rows.append((n, found.value, *bounds, group["paired"].mean()))
    told = pd.DataFrame(rows, columns=["n", "mean", "low", "high", "came"]).set_index("n") * 100
    inside = told["came"].between(told["low"], told["high"]).astype("boolean")
    return told.assign(inside=inside.mask(told["low"].isna()))
