"""How sure an estimate is: tests of "no difference", how many more splits would decide, what the next one may show."""

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from transferkit.errors import UsageError
from transferkit.results.estimate import Estimate, estimate
from transferkit.treatments import Treatment

_MOST = 1000  # clusters; more than that is beyond any budget


def equivalence(found: Estimate, margin: float) -> float:
    """The p-value of two one-sided tests that the true difference lies within -margin..margin; NaN for one cluster.

    It is below .025 exactly when the 95 % interval lies within the margin, so the interval that is shown decides.
    `margin` is in the unit of the estimate.
    """
    if not found.freedom > 0:
        return np.nan
    if found.error == 0:
        return float(abs(found.value) >= margin)
    above, below = (found.value + margin) / found.error, (margin - found.value) / found.error
    return float(max(stdtr(found.freedom, -above), stdtr(found.freedom, -below)))


def further_clusters(found: Estimate, half_width: float, level: float = 0.95) -> float:
    """How many more splits (or seeds) bring the interval to this half-width if they scatter like the present ones.

    0 when the interval is narrow enough already, NaN with one cluster, whose scatter is unknown, and infinite beyond a
    thousand or for a half-width of zero.
    """
    if not found.freedom > 0:
        return np.nan
    counts = np.arange(2, _MOST + 1)
    spread = found.error * np.sqrt(found.clusters)
    widths = stdtrit(counts - 1, (1 + level) / 2) * spread / np.sqrt(counts)
    enough = counts[widths <= half_width]
    return float(max(0, enough[0] - found.clusters)) if half_width > 0 and enough.size else np.inf


def predict_next(table: pd.DataFrame, unseen: pd.DataFrame, treatment: Treatment) -> pd.DataFrame:
    """What networks of several splits predict for a further split, in points, a row for each n of that split.

    `mean` is the mean paired difference in `table`; a further split is expected between `low` and `high` (95 %);
    `came` is the result in `unseen`, and `inside` whether it lies in between. Where `table` has an n in one split only,
    the bounds are NaN and `inside` is missing, because the scatter of its seeds says nothing about another split.
    Raises UsageError unless `unseen` is a single split that is not in `table`.
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
            bounds = (np.nan, np.nan) if found.seeds_of else interval_of_next(found)
            rows.append((n, found.value, *bounds, group["paired"].mean()))
    predicted = pd.DataFrame(rows, columns=["n", "mean", "low", "high", "came"]).set_index("n") * 100
    inside = predicted["came"].between(predicted["low"], predicted["high"]).astype("boolean")
    return predicted.assign(inside=inside.mask(predicted["low"].isna()))


def interval_of_next(found: Estimate) -> tuple[float, float]:
    """The 95 % interval in which the mean of one further cluster is expected; NaN and NaN with one cluster.

    It is wider than the interval of the mean, and stays as wide as clusters scatter, however many there are. The
    further cluster must be as large as the others.
    """
    low, high = found.interval()
    reach = np.sqrt(found.clusters + 1)
    return found.value - reach * (found.value - low), found.value + reach * (high - found.value)
