"""What figures say in words with numbers, for captions, and for alternative texts for readers who cannot see them."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from transferkit.errors import UsageError
from transferkit.figures.lines import FIGURE2, base_mean, select
from transferkit.figures.readings import NOTEWORTHY
from transferkit.figures.style import INK, STYLES
from transferkit.results import summarise
from transferkit.treatments import HALVES, TREATMENTS, Treatment

CROSSED: Mapping[str, Any] = MappingProxyType(  # the mark that `plateau_note` explains
    {"marker": "X", "markersize": 8, "markerfacecolor": "white", "markeredgecolor": INK, "linestyle": "none",
     "zorder": 5, "gid": "plateau"}
)  # fmt: skip
NEAR = 0.98  # of ln K, the training loss of guessing: the authors' own failed networks stand at 6.906 of 6.908


def caption(table: pd.DataFrame, data: str | None, treatments: Sequence[Treatment] = FIGURE2) -> str:
    """One line: how many networks stand behind every point, with their targets, seeds, data and splits.

    Without `data` the table says which, as those of `results.tabulate` do. Raises UsageError for a table without
    networks of these treatments.
    """
    rows = select(table, treatments)
    chopped = rows[rows["treatment"] != "base"]
    rows = rows if chopped.empty else chopped
    targets = sorted(rows["target"].unique())
    splits = sorted(rows["split"].unique())
    counts, seeds = networks_per_point(rows), number(rows["seed"].nunique(), "seed")
    named = f"({_named(targets, 'target')}), {seeds}; data {data_of(table, data)}, {_named(splits, 'split')}"
    return f"{counts[0].upper()}{counts[1:]} {named}"


def data_of(table: pd.DataFrame, data: str | None) -> str:
    """The data set that is named, or else the one that the table says its networks were trained on."""
    return data or str(table.attrs.get("data", "unnamed"))


def interval_note(table: pd.DataFrame) -> str:
    """One sentence: what the bars are, or why there are none."""
    summary = summarise(table[table["paired"].notna() & (table["treatment"] != "base")])
    if summary["low"].notna().any():
        return "Bars: 95 % interval of the mean paired difference, where there are enough networks for one."
    return "No intervals: too few splits or seeds per point."


def authors_note(authors: pd.DataFrame | None, treatments: Sequence[Treatment]) -> list[str]:
    """One sentence: how many of the authors' networks stand behind each of their points; none without them."""
    if authors is None:
        return []
    return [f"Dotted: the authors' published networks; {networks_per_point(select(authors, treatments))}."]


def trends(table: pd.DataFrame, treatments: Sequence[Treatment]) -> list[str]:
    """A sentence per treatment: how its mean paired difference goes with n, after one that says what follows."""
    summary = summarise(table[table["paired"].notna()])
    sentences = [
        f"{name} ({STYLES[name].meaning}) {trend(summary[summary['treatment'] == name])}."
        for name in treatments
        if name != "base" and (summary["treatment"] == name).any()
    ]
    return ["Mean paired differences in percentage points:", *sentences] if sentences else []


def bases(table: pd.DataFrame) -> str:
    """One sentence: the mean top-1 of the base networks, and how many there are."""
    count = int((table["treatment"] == "base").sum())
    if not count:
        return "There is no base network."
    return f"Base networks: mean top-1 {100 * base_mean(table):.1f} % ({number(count, 'network')})."


def sides(table: pd.DataFrame) -> str:
    """What left and right mean where the networks of one n and treatment are spread; empty for one target."""
    return ", target A to the left, B to the right" if table["target"].nunique() == len(HALVES) else ""


def trend(rows: pd.DataFrame) -> str:
    """How one treatment's mean goes with n, from the rows of its summary."""
    points = pd.Series(100 * rows["paired"].to_numpy(), index=rows["n"].to_numpy())
    first, last = int(points.index[0]), int(points.index[-1])
    if first == last:
        return f"is at {points.iloc[0]:+z.1f} (n = {first})"
    low, high = points.min(), points.max()
    if high - low < NOTEWORTHY:
        return f"stays between {low:+z.1f} and {high:+z.1f} from n = {first} to {last}"
    change = points.iloc[-1] - points.iloc[0]
    verb = "ends near where it began," if abs(change) < NOTEWORTHY else "falls" if change < 0 else "rises"
    ends = points.iloc[[0, -1]]
    turns = [f"lowest {low:+z.1f} at n = {points.idxmin()}"] if low <= ends.min() - NOTEWORTHY else []
    turns += [f"highest {high:+z.1f} at n = {points.idxmax()}"] if high >= ends.max() + NOTEWORTHY else []
    course = f"{verb} from {ends.iloc[0]:+z.1f} at n = {first} to {ends.iloc[1]:+z.1f} at n = {last}"
    return ", ".join([course + _interval(rows.iloc[-1]), *turns])


def _interval(row: pd.Series) -> str:
    return "" if np.isnan(row["low"]) else f" (95 % interval {100 * row['low']:+z.1f} to {100 * row['high']:+z.1f})"


def networks_per_point(rows: pd.DataFrame) -> str:
    """`2 networks per point`, or per treatment where they differ; bases are points of their own."""
    counts = rows[rows["treatment"] != "base"].groupby(["treatment", "n"]).size()
    if counts.empty:
        return "base networks only"
    if counts.min() == counts.max():
        return f"{number(counts.min(), 'network')} per point"
    ranges = {
        name: "-".join(str(count) for count in sorted({sizes.min(), sizes.max()}))
        for name, sizes in counts.groupby("treatment")
    }
    return f"networks per point: {', '.join(f'{name} {ranges[name]}' for name in TREATMENTS if name in ranges)}"


def number(count: int, noun: str) -> str:
    """`1 seed`, `2 seeds`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(names: Sequence[object]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    words = [str(name) for name in names]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _named(names: Sequence[str], noun: str) -> str:
    return f"{noun}{'s' * (len(names) > 1)} {listed(names)}"


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
