"""What to do with a new task, from a grid on it: how many layers to copy, frozen or fine-tuned, and how sure that is.

The best of many noisy numbers is too good: the winner's curse. So the gain of the advice is measured where the
choice did not look: it is made on all splits (or seeds) but one, and the gain taken on that one, in turn.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from transferkit.errors import DataError
from transferkit.results.estimate import Estimate, cluster_column, mean_of_clusters
from transferkit.results.table import refuse_incomplete

FROM_SCRATCH = "base"


@dataclass(frozen=True)
class Advice:
    """The choice with the greatest mean paired difference, by its label of `options_of`, as `A3B+`.

    `gain` is that choice's mean paired difference over all clusters (a fraction), `checked` the gain of choosing,
    each time measured on a cluster that the choice was made without. `as_good` are the options that the clusters
    cannot tell from the choice (95 %, itself included), `cheapest` the one of these that trains least.
    """

    choice: str
    gain: float
    checked: Estimate
    as_good: tuple[str, ...]
    cheapest: str


def options_of(table: pd.DataFrame) -> pd.DataFrame:
    """Mean paired difference (fraction) by cluster, one row each, and option, one column each.

    The options are to train from scratch ("base", 0 by definition) and each transfer there is, named as it is for
    target B, A3B or A3B+, whichever half is the target. Clusters are splits, or the seeds of one split, as in
    `estimate`. Raises DataError where there are no transfer networks, or an option is not there in every cluster.
    """
    chosen = refuse_incomplete(_taking_part(table))
    labels = [_label(treatment, n) for treatment, n in zip(chosen["treatment"], chosen["n"], strict=True)]
    means = chosen.assign(option=labels).pivot_table(index=cluster_column(chosen), columns="option", values="paired")
    if means.columns.size < 2 or means.isna().any(axis=None):
        raise DataError(
            "advice needs transfer networks (AnB or AnB+), the same ones in every split and seed: train the rest of "
            "the grid."
        )
    return means[list(dict.fromkeys(labels))]


def advise(table: pd.DataFrame) -> Advice:
    """The advice of a grid's table (see `tabulate`). Raises DataError as `options_of`, or for one cluster."""
    options = options_of(table)
    if len(options) < 2:
        raise DataError("one seed of one split cannot say how sure its advice is: train a second seed, better three.")
    choice = str(options.mean().idxmax())
    as_good = tuple(str(option) for option in options if not _worse(options[option] - options[choice]))
    checked = _checked(_taking_part(table), options)
    return Advice(choice, float(options[choice].mean()), checked, as_good, min(as_good, key=_cost))


def _taking_part(table: pd.DataFrame) -> pd.DataFrame:
    """The networks that an option stands for: controls and random filters are no advice for a new task."""
    return table[table["treatment"].isin(["base", "AnB", "AnB+"])]


def _checked(table: pd.DataFrame, options: pd.DataFrame) -> Estimate:
    gains = [options.loc[cluster, options.drop(cluster).mean().idxmax()] for cluster in options.index]
    seeds_of = tuple(table["split"].unique()) if options.index.name == "seed" else ()
    return Estimate(*mean_of_clusters(gains), len(gains), int((table["treatment"] != "base").sum()), seeds_of)


def _worse(differences: pd.Series) -> bool:
    """Whether the clusters say, at 95 %, that these differences lie below zero."""
    mean, error, freedom = mean_of_clusters(differences.to_numpy())
    return bool(mean + stdtrit(freedom, 0.975) * error < 0) if error > 0 else mean < 0


def _label(treatment: str, n: int) -> str:
    return FROM_SCRATCH if treatment == "base" else f"A{n}B{'+' if treatment.endswith('+') else ''}"


def _cost(label: str) -> tuple[bool, int]:
    """Frozen before all others, and the more layers are copied the less there is to train."""
    n = 0 if label == FROM_SCRATCH else int(label[1:].split("B")[0])
    return label.endswith("+") or label == FROM_SCRATCH, -n


def shuffled_options(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The same table with the transfer networks' accuracies dealt out anew within each split, seed and target.

    A control: there no option is better than another, so whatever a choice seems to gain over the average is luck.
    """
    generator = np.random.default_rng(seed)
    dealt = table.copy()
    moved = dealt["treatment"].isin(["AnB", "AnB+"])
    for _, rows in dealt[moved].groupby(["split", "seed", "target"]):
        dealt.loc[rows.index, ["top1", "paired"]] = generator.permutation(rows[["top1", "paired"]].to_numpy())
    return dealt
