"""Networks whose training never began: their training loss is still that of guessing, ln K for K classes."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd

from transferkit.errors import UsageError
from transferkit.figures.style import INK
from transferkit.figures.words import listed, number

CROSSED: Mapping[str, Any] = MappingProxyType(
    {
        "marker": "X", "markersize": 8, "markerfacecolor": "white", "markeredgecolor": INK, "linestyle": "none",
        "zorder": 5, "gid": "plateau",
    }
)  # fmt: skip
NEAR = 0.98  # of ln K: the authors' own failed networks stand at 6.906 of 6.908


def on_plateau(table: pd.DataFrame, classes: int | None) -> pd.Series:
    """Which networks never left the plateau, bool by row; none where `train_loss` (nats) or `classes` is not known.

    `classes`: how many outputs guessing chooses from (K). Raises UsageError for fewer than two.
    """
    if classes is None or not _losses_known(table):
        return pd.Series(False, index=table.index)
    if classes < 2:
        raise UsageError(f"{classes} class cannot be guessed wrong: give the number of classes of a half, 2 or more.")
    return table["train_loss"] >= NEAR * math.log(classes)


def plateau_note(table: pd.DataFrame, classes: int | None) -> str:
    """One or two sentences about these networks; empty where there is nothing to say."""
    if classes is None or table.empty:
        return ""
    if not _losses_known(table):
        return "Training losses are not known here: a network that failed to train looks like one with bad features."
    failed = table[on_plateau(table, classes)]
    if failed.empty:
        return ""
    groups = failed.groupby("treatment")["n"].unique()
    chopped = (f"{treatment} at n = {listed(sorted(n))}" for treatment, n in groups.items() if treatment != "base")
    where = "; ".join(["base networks"] * ("base" in groups) + list(chopped))
    return (
        f"Hollow and crossed out: {len(failed)} of {number(len(table), 'network')} never left the plateau, training "
        f"loss near ln {classes} = {math.log(classes):.2f} ({where}): failed training, not bad features."
    )


def _losses_known(table: pd.DataFrame) -> bool:
    return "train_loss" in table and bool(table["train_loss"].notna().any())
