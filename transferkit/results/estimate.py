"""Means of paired differences with intervals that respect what networks share.

Networks of one split share their classes and images, and those of one split and seed share their bases too: they are
not independent measurements. The unit is therefore the split. Everything is first averaged within each split, over
seeds, targets and n, and the interval is Student's t over the splits' means. On simulated grids it covers the truth as
often as it says, however much the splits differ. Intervals over networks, over pairs of split and seed, or from
bootstrapped splits do not (benchmarks/interval_coverage.py). With only one split, the unit is the seed, and the
interval says nothing about other splits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from transferkit.treatments import TREATMENTS

Over = Literal["splits", "seeds", "pictures"]
ENOUGH_FOR_INTERVAL = 3  # splits or seeds: with two, the interval would reach 12.7 standard errors to either side


@dataclass(frozen=True)
class Estimate:
    """A mean over clusters, its standard error (NaN for one cluster), and the numbers it is based on.

    The clusters are splits, or the seeds of one split, which `seeds_of` then names (for a difference, that of either
    side). `matched` is False for a difference of networks that have no target in common.
    """

    value: float
    error: float
    freedom: float
    clusters: int
    networks: int
    seeds_of: tuple[str, ...] = ()
    matched: bool = True

    @property
    def over(self) -> Over:
        """What the clusters are; in a difference, those of the side with the fewest."""
        return "seeds" if self.seeds_of else "splits"

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The lower and upper end of Student's t interval; NaN and NaN with one cluster."""
        half = stdtrit(self.freedom, (1 + level) / 2) * self.error if self.freedom > 0 else np.nan
        return float(self.value - half), float(self.value + half)


def estimate(table: pd.DataFrame, column: str = "paired", *, networks_per_row: int = 1) -> Estimate | None:
    """The mean of a column over networks, as the mean of the splits' (or seeds') means; None without any value.

    `table` has the columns split and seed; rows whose value is NaN are left out. `networks_per_row` is 2 where a row is
    the difference of two networks.
    """
    found = estimate_by(table.dropna(subset=[column]), lambda rows: float(rows[column].mean()))
    return found and replace(found, networks=found.networks * networks_per_row)


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Summarise each treatment and n: `count`, mean `top1`, mean `paired`, and `low`, `high` of its 95 % interval.

    Mean and interval of the paired differences are those of `estimate`; below ENOUGH_FOR_INTERVAL splits, or seeds of
    one split, the interval is NaN. Rows come in the order of TREATMENTS, then n.
    """
    rows = []
    for treatment in TREATMENTS:
        for n, group in table[table["treatment"] == treatment].groupby("n"):
            found = estimate(group)
            bounds = found.interval() if found and found.clusters >= ENOUGH_FOR_INTERVAL else (np.nan, np.nan)
            mean = found.value if found else np.nan
            rows.append((treatment, n, len(group), group["top1"].mean(), mean, *bounds))
    return pd.DataFrame(rows, columns=["treatment", "n", "count", "top1", "paired", "low", "high"])


def mean_of_clusters(means: Sequence[float] | NDArray[np.float64]) -> tuple[float, float, int]:
    """Mean, standard error (NaN for one cluster) and degrees of freedom of the clusters' means."""
    values = np.asarray(means, dtype=np.float64)
    freedom = len(values) - 1
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if freedom else np.nan
    return float(values.mean()), error, freedom


def estimate_by(table: pd.DataFrame, statistic: Callable[[pd.DataFrame], float]) -> Estimate | None:
    """The mean over clusters of a statistic of their rows; None for a table without rows."""
    if table.empty:
        return None
    column = cluster_column(table)
    means = [statistic(rows) for _, rows in table.groupby(column)]
    seeds_of = () if column == "split" else tuple(table["split"].unique())
    return Estimate(*mean_of_clusters(means), len(means), len(table), seeds_of)


def cluster_column(table: pd.DataFrame) -> str:
    """The column that names a table's clusters: "split", or "seed" if all networks are of one split."""
    return "split" if len(table["split"].unique()) > 1 else "seed"
