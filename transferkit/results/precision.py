"""Tests of "no difference", and how many more splits or seeds an answer would take."""

import numpy as np
from scipy import stats

from transferkit.results.estimate import Estimate

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
    return float(max(stats.t.sf(above, found.freedom), stats.t.sf(below, found.freedom)))


def further_clusters(found: Estimate, half_width: float, level: float = 0.95) -> float:
    """How many more splits (or seeds) bring the interval to this half-width, if they scatter like those there are.

    0 when it is there already; NaN with one cluster, whose scatter is unknown; infinite beyond a thousand, or for a
    half-width of zero.
    """
    if not found.freedom > 0:
        return np.nan
    counts = np.arange(2, _MOST + 1)
    spread = found.error * np.sqrt(found.clusters)
    widths = stats.t.ppf((1 + level) / 2, counts - 1) * spread / np.sqrt(counts)
    enough = counts[widths <= half_width]
    return float(max(0, enough[0] - found.clusters)) if half_width > 0 and enough.size else np.inf
