"""What the figures say, in words with numbers: captions, and alternative texts for readers who cannot see them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from transferkit.figures.panels import FIGURE2, RANDOM, base_mean, select
from transferkit.figures.style import STYLES
from transferkit.filters import is_coloured
from transferkit.results import ENOUGH_FOR_INTERVAL, summarise
from transferkit.treatments import TREATMENTS, Treatment

_NOTEWORTHY = 1.0  # points: a smaller change is not called a rise, a fall or a dip


def caption(table: pd.DataFrame, data: str, treatments: Sequence[Treatment] = FIGURE2) -> str:
    """One line: how many networks stand behind every point, and of which targets, seeds, data and splits.

    Raises UsageError for a table without networks of these treatments.
    """
    rows = select(table, treatments)
    chopped = rows[rows["treatment"] != "base"]
    rows = rows if chopped.empty else chopped
    targets = sorted(rows["target"].unique())
    splits = sorted(rows["split"].unique())
    return (
        f"{_networks_per_point(rows)} ({_listed(targets, 'target')}), {_number(rows['seed'].nunique(), 'seed')}; "
        f"data {data}, {_listed(splits, 'split')}"
    )


def describe_figure2(table: pd.DataFrame, data: str) -> str:
    """Alternative text of Figure 2: the bases' mean, then how each treatment's mean paired difference goes with n.

    Raises UsageError for a table without networks.
    """
    opening = "Above, the accuracy of every network over n, the number of layers copied; below, means against base."
    return _describe(opening, table, data, FIGURE2)


def describe_random(table: pd.DataFrame, data: str) -> str:
    """Alternative text of the figure of random, untrained filters; errors as for `describe_figure2`."""
    opening = "Networks on random, untrained filters and on transferred ones against base, over n, the layers copied."
    return _describe(opening, table, data, RANDOM)


def describe_conv1(tiles_a: np.ndarray, tiles_b: np.ndarray, names: tuple[str, str] = ("baseA", "baseB")) -> str:
    """Alternative text of the conv1 sheets; tiles are filters x k x k x 3."""
    sheets = [
        f"{name}: {len(tiles)} filters of {tiles.shape[1]} by {tiles.shape[2]} pixels, "
        f"of which {int(is_coloured(tiles).sum())} see colour rather than light and dark."
        for name, tiles in zip(names, (tiles_a, tiles_b), strict=True)
    ]
    return " ".join(["The filters of conv1, each scaled on its own around mid-grey.", *sheets])


def interval_note(table: pd.DataFrame) -> str:
    """One sentence: what the bars are, or why there are none."""
    summary = summarise(table[table["paired"].notna() & (table["treatment"] != "base")])
    if summary["low"].notna().any():
        return f"Bars: 95 % interval of the mean paired difference, from {ENOUGH_FOR_INTERVAL} networks up."
    return f"No intervals: they need {ENOUGH_FOR_INTERVAL} networks per point."


def _describe(opening: str, table: pd.DataFrame, data: str, treatments: Sequence[Treatment]) -> str:
    summary = summarise(table[table["paired"].notna()])
    trends = [
        f"{name} ({STYLES[name].meaning}) {_trend(summary[summary['treatment'] == name])}."
        for name in treatments
        if name != "base" and (summary["treatment"] == name).any()
    ]
    if trends:
        trends.insert(0, "Mean paired differences in percentage points:")
    return " ".join([opening, f"{caption(table, data, treatments)}.", _bases(table), *trends])


def _bases(table: pd.DataFrame) -> str:
    count = int((table["treatment"] == "base").sum())
    if not count:
        return "There is no base network."
    return f"Base networks: mean top-1 {100 * base_mean(table):.1f} % ({_number(count, 'network')})."


def _trend(rows: pd.DataFrame) -> str:
    """How one treatment's mean goes with n, from the rows of its summary."""
    points = pd.Series(100 * rows["paired"].to_numpy(), index=rows["n"].to_numpy())
    first, last = int(points.index[0]), int(points.index[-1])
    if first == last:
        return f"is at {points.iloc[0]:+z.1f} (n = {first})"
    low, high = points.min(), points.max()
    if high - low < _NOTEWORTHY:
        return f"stays between {low:+z.1f} and {high:+z.1f} from n = {first} to {last}"
    change = points.iloc[-1] - points.iloc[0]
    verb = "ends near where it began," if abs(change) < _NOTEWORTHY else "falls" if change < 0 else "rises"
    ends = points.iloc[[0, -1]]
    turns = [f"lowest {low:+z.1f} at n = {points.idxmin()}"] if low <= ends.min() - _NOTEWORTHY else []
    turns += [f"highest {high:+z.1f} at n = {points.idxmax()}"] if high >= ends.max() + _NOTEWORTHY else []
    told = f"{verb} from {ends.iloc[0]:+z.1f} at n = {first} to {ends.iloc[1]:+z.1f} at n = {last}"
    return ", ".join([told + _interval(rows.iloc[-1]), *turns])


def _interval(row: pd.Series) -> str:
    return "" if np.isnan(row["low"]) else f" (95 % interval {100 * row['low']:+z.1f} to {100 * row['high']:+z.1f})"


def _networks_per_point(rows: pd.DataFrame) -> str:
    """`2 networks per point`, or per treatment where they differ; bases are points of their own."""
    counts = rows[rows["treatment"] != "base"].groupby(["treatment", "n"]).size()
    if counts.empty:
        return "Base networks only"
    if counts.min() == counts.max():
        return f"{_number(counts.min(), 'network')} per point"
    ranges = {
        name: "-".join(str(count) for count in sorted({sizes.min(), sizes.max()}))
        for name, sizes in counts.groupby("treatment")
    }
    return f"Networks per point: {', '.join(f'{name} {ranges[name]}' for name in TREATMENTS if name in ranges)}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _listed(names: Sequence[str], noun: str) -> str:
    if len(names) == 1:
        return f"{noun} {names[0]}"
    return f"{noun}s {', '.join(names[:-1])} and {names[-1]}"
