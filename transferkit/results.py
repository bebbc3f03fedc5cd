"""From receipts to a tidy table, paired differences and their means with intervals."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy import stats

from transferkit.store import Receipt
from transferkit.treatments import TREATMENTS

COLUMNS = (
    "run", "treatment", "split", "seed", "source", "target", "n", "finetune",
    "top1", "paired", "train_loss", "valid_loss", "seconds",
)  # fmt: skip
ENOUGH_FOR_INTERVAL = 3  # two networks would give an interval of 12.7 standard errors to either side


def tabulate(receipts: Iterable[Receipt]) -> pd.DataFrame:
    """One row per network with the columns COLUMNS; accuracies and paired differences are fractions (0..1).

    `paired` is top-1 minus that of the own target's base of the same split and seed: 0 for a base, NaN where
    that base is missing. Losses are in nats, `train_loss` is the mean over the last epoch.
    """
    rows = []
    for receipt in receipts:
        run, final = receipt.run, receipt.final
        rows.append(
            (run.label, run.treatment, run.split, run.seed, run.source, run.target, run.n, run.finetune,
             final.top1, np.nan, final.train_loss, final.valid_loss, receipt.times.seconds)
        )  # fmt: skip
    return pair(pd.DataFrame(rows, columns=list(COLUMNS)))


def pair(table: pd.DataFrame) -> pd.DataFrame:
    """The same table with its column `paired` computed anew from `top1`."""
    keys = ["split", "seed", "target"]
    bases = table.loc[table["treatment"] == "base", [*keys, "top1"]].rename(columns={"top1": "base"})
    merged = table.merge(bases, on=keys, how="left", validate="many_to_one")
    return merged.assign(paired=merged["top1"] - merged["base"])[list(COLUMNS)]


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Per treatment and n: `count`, mean `top1`, mean `paired`, and `low`, `high` of its 95 % interval.

    The interval is Student's t over the networks' paired differences, NaN below ENOUGH_FOR_INTERVAL networks.
    It takes networks as independent, though those of one split and target share a base. Rows are in
    the order of TREATMENTS, then n.
    """
    order = pd.CategoricalDtype(list(TREATMENTS), ordered=True)
    groups = table.astype({"treatment": order}).groupby(["treatment", "n"], observed=True)
    summary = groups.agg(
        count=("top1", "size"), top1=("top1", "mean"), paired=("paired", "mean"), spread=("paired", "std")
    ).reset_index()
    half_width = stats.t.ppf(0.975, summary["count"] - 1) * summary["spread"] / np.sqrt(summary["count"])
    half_width = half_width.where(summary["count"] >= ENOUGH_FOR_INTERVAL)
    summary = summary.assign(low=summary["paired"] - half_width, high=summary["paired"] + half_width)
    return summary.astype({"treatment": str}).drop(columns="spread")
