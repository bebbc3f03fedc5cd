"""Sudden or gradual? How far AnB lies below BnB, and at which layers it falls: the differences between neighbouring n.

Both treatments are chopped in the same place, so what AnB loses beyond BnB is specificity. Were it a matter of one
layer, one step would be the whole fall, and the others would be zero.
"""

import numpy as np
import pandas as pd

from transferkit.results import ENOUGH_FOR_INTERVAL, Estimate, estimate
from transferkit.results.estimate import cluster_column, estimate_by

_BOTH = ("AnB", "BnB")
STEP_COLUMNS = ("n", "step", "low", "high", "clusters", "over", "networks")


def specificity(table: pd.DataFrame) -> pd.DataFrame:
    """AnB minus BnB, both against their base (fractions): a row per split and seed, a column per n; at n = 0 it is 0.

    `table` comes from `results.tabulate`. Only n that both treatments have in every split and seed are there. Means
    over targets are subtracted, because the authors' BnB has one target only.
    """
    rows = table[table["treatment"].isin(_BOTH) & table["paired"].notna()]
    means = rows.pivot_table(index=["split", "seed"], columns=["treatment", "n"], values="paired")
    one, other = (pd.DataFrame(means.get(name), index=means.index) for name in _BOTH)
    found = (one - other).dropna(axis="columns")
    found.insert(0, 0, 0.0)
    return found


def steps(table: pd.DataFrame) -> pd.DataFrame:
    """How much further below BnB AnB lies at each n than at the n before it, in points, with STEP_COLUMNS.

    The interval (95 %) is over splits, or over the seeds of one, as `over` says; with fewer than three it is NaN.
    `networks` counts those of AnB and BnB at that n. A table without both treatments gives no rows.
    """
    differences, counts = specificity(table).diff(axis="columns").iloc[:, 1:], table[table["treatment"].isin(_BOTH)]
    rows = []
    for n in differences:
        found = estimate(differences[n].rename("paired").reset_index())
        assert found is not None
        bounds = found.interval() if found.clusters >= ENOUGH_FOR_INTERVAL else (np.nan, np.nan)
        points = (100 * value for value in (found.value, *bounds))
        rows.append((n, *points, found.clusters, found.over, int((counts["n"] == n).sum())))
    return pd.DataFrame(rows, columns=list(STEP_COLUMNS))


def beyond_the_widest_step(table: pd.DataFrame) -> Estimate | None:
    """How far AnB lies below BnB at the last n, without the step at which it falls most; None without both treatments.

    The widest step is chosen in each split (or seed) anew. So chance can only make it wider, and the rest smaller.
    """
    found = specificity(table)
    if found.shape[1] < 3:  # one step is always the widest
        return None
    rest = found.iloc[:, -1] - found.diff(axis="columns").min(axis="columns")
    both = table[table["treatment"].isin(_BOTH) & table["n"].isin(found.columns)]
    column = cluster_column(both)
    means = rest.groupby(column).mean()
    return estimate_by(both, lambda rows: float(means[rows[column].iloc[0]]))
