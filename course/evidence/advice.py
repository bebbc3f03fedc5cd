"""What to do with a new task, judged by a grid on it: how many layers to copy, frozen or fine-tuned, and how sure.

The best of many noisy numbers is too good: the winner's curse. So the gain of a choice is measured on data that did
not influence it: each split (or seed) in turn is left out of the choice, and the gain is measured on that one.
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
    """The choice with the greatest mean paired difference, by its label in `options_of`, such as `A3B+`.

    `gain` is that choice's mean paired difference over all clusters (a fraction). `checked` is the gain of choosing,
    each time measured on a cluster that was left out of the choice. `as_good` are the options that the clusters cannot
    tell from the choice (at 95 %; the choice included), and `cheapest` is the one of these that trains least.
    """

    choice: str
    gain: float
    checked: Estimate
    as_good: tuple[str, ...]
    cheapest: str


def options_of(table: pd.DataFrame) -> pd.DataFrame:
    """Mean paired differences (fractions): a row for each cluster, a column for each option.

    The options are to train from scratch ("base", 0 by definition) and every transfer in the table. Their names are
    those for target B, as A3B or A3B+, whichever half is the target. Clusters are splits, or the seeds of one split, as
    in `estimate`. Raises DataError without transfer networks, or when an option is missing in a cluster.
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
    """The advice of a grid's table (see `tabulate`). Raises DataError as `options_of` does, or for a single cluster."""
    options = options_of(table)
    if len(options) < 2:
        raise DataError("one seed of one split cannot say how sure its advice is: train a second seed, better three.")
    choice = str(options.mean().idxmax())
    as_good = tuple(str(option) for option in options if not _worse(options[option] - options[choice]))
    checked = _checked(_taking_part(table), options)
    return Advice(choice, float(options[choice].mean()), checked, as_good, min(as_good, key=_cost))


def _taking_part(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that are options for a new task; controls and random filters are not."""
    return table[table["treatment"].isin(["base", "AnB", "AnB+"])]


def _checked(table: pd.DataFrame, options: pd.DataFrame) -> Estimate:
    gains = [options.loc[cluster, options.drop(cluster).mean().idxmax()] for cluster in options.index]
    seeds_of = tuple(table["split"].unique()) if options.index.name == "seed" else ()
    return Estimate(*mean_of_clusters(gains), len(gains), int((table["treatment"] != "base").sum()), seeds_of)


def _worse(differences: pd.Series) -> bool:
    """Whether these differences lie below zero, at 95 %."""
    mean, error, freedom = mean_of_clusters(differences.to_numpy())
    return bool(mean + stdtrit(freedom, 0.975) * error < 0) if error > 0 else mean < 0


def _label(treatment: str, n: int) -> str:
    return FROM_SCRATCH if treatment == "base" else f"A{n}B{'+' if treatment.endswith('+') else ''}"


def _cost(label: str) -> tuple[bool, int]:
    """A sort key: frozen options are cheapest, and the more layers are copied, the less there is to train."""
    n = 0 if label == FROM_SCRATCH else int(label[1:].split("B")[0])
    return label.endswith("+") or label == FROM_SCRATCH, -n


def shuffled_options(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The table with the transfer networks' accuracies shuffled within each split, seed and target.

    This is a control: no option is then better than another, so what a choice seems to gain over the average is luck.
    """
    generator = np.random.default_rng(seed)
    dealt = table.copy()
    moved = dealt["treatment"].isin(["AnB", "AnB+"])
    for _, rows in dealt[moved].groupby(["split", "seed", "target"]):
        dealt.loc[rows.index, ["top1", "paired"]] = generator.permutation(rows[["top1", "paired"]].to_numpy())
    return dealt
