"""Statistics of claims beside means: slopes, and differences of treatments or of unlike networks."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from transferkit.results import Estimate, estimate
from transferkit.results.estimate import cluster_column, estimate_by
from transferkit.treatments import Treatment

_CELL = ["split", "seed", "target", "n"]


def slope(table: pd.DataFrame, column: str = "paired", along: str = "n") -> Estimate | None:
    """The mean slope of a column per unit of the column `along`, fitted within each split (or seed).

    None if no cluster has two different values of `along`.
    """
    rows = table.dropna(subset=[column])
    keys = [cluster_column(rows)]
    rows = rows[rows.groupby(keys)[along].transform("nunique") > 1]
    return estimate_by(rows, lambda part: float(np.polyfit(part[along], part[column], 1)[0]))


def contrast(table: pd.DataFrame, first: Treatment, second: Treatment) -> Estimate | None:
    """Mean top-1 of a treatment minus that of another, matched on split, seed, target and n (fractions).

    If no two networks match, the paired differences of either treatment are averaged over the n that both have, and
    the two means are subtracted as if independent (`matched` is then False). None if a treatment is absent.
    """
    one, two = (table[table["treatment"] == treatment] for treatment in (first, second))
    both = one.merge(two, on=_CELL, suffixes=("", "_second"), validate="one_to_one")
    if not both.empty:
        return estimate(both.assign(paired=both["top1"] - both["top1_second"]), networks_per_row=2)
    shared = set(one["n"]) & set(two["n"])
    return compare(estimate(one[one["n"].isin(shared)]), estimate(two[two["n"].isin(shared)]))


def jackknife(table: pd.DataFrame, statistic: Callable[[pd.DataFrame], float]) -> Estimate | None:
    """A statistic of all rows that is no mean, with the error that leaving out each split (or seed) in turn gives it.

    None for a table of fewer than two of these.
    """
    column = cluster_column(table)
    without = [statistic(table[table[column] != name]) for name in table[column].unique()]
    count = len(without)
    if count < 2:
        return None
    seeds_of = () if column == "split" else tuple(table["split"].unique())
    error = float(np.std(without) * np.sqrt(count - 1))
    return Estimate(statistic(table), error, count - 1, count, len(table), seeds_of)


def compare(first: Estimate | None, second: Estimate | None) -> Estimate | None:
    """The difference of two estimates from different networks, with Welch's degrees of freedom; None if either is."""
    if first is None or second is None:
        return None
    parts = np.array([first.error, second.error]) ** 2
    freedom = 0.0
    if min(first.freedom, second.freedom) > 0 and parts.sum() > 0:
        freedom = float(parts.sum() ** 2 / (parts**2 / [first.freedom, second.freedom]).sum())
    return Estimate(
        first.value - second.value, float(np.sqrt(parts.sum())), freedom, min(first.clusters, second.clusters),
        first.networks + second.networks, tuple(dict.fromkeys(first.seeds_of + second.seeds_of)), matched=False,
    )  # fmt: skip
