"""The distance dial: transfer between halves that share a known part of what their classes are made of."""

import re

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from transferkit.errors import UsageError
from transferkit.figures.lines import End, draw_line, end_of, label_ends, paired_line
from transferkit.figures.picture import page
from transferkit.figures.style import BASE_LINE, INK, SMALL_SIZE, TEXT_SIZE, dress, ordered_look, round_ticks
from transferkit.figures.words import caption, interval_note, trend
from transferkit.results import layers_of, summarise

_SPLIT = re.compile(r"overlap-(\d*\.?\d+)")
_SHOWN = (1, 3, 5, 7)  # chop points of the panel on the right


def draw_distance(table: pd.DataFrame, data: str, title: str = "Transfer over the distance of the halves") -> Figure:
    """AnB against base over n, a line per overlap of the halves, darkest for none; and the same over the overlap.

    `table` is as of `results.tabulate`, of splits `overlap-x`. Raises UsageError when it has no AnB of such splits.
    """
    rows = _transfers(table)
    overlaps, layers = sorted(rows["overlap"].unique(), reverse=True), layers_of(rows)
    one = rows[rows["overlap"] == overlaps[0]]  # an interval is within one overlap, never over several
    notes = [f"{caption(_renamed(rows), data, ('AnB',))}.", interval_note(one)]
    figure = page(3.9 + 0.16 * len(notes), title, notes)
    left, right = figure.subplots(1, 2, width_ratios=(1.75, 1), sharey=True)
    ends = []
    for place, overlap in enumerate(overlaps):
        summary = summarise(rows[rows["overlap"] == overlap])
        line = paired_line(summary, "AnB", 0.05 * (place - len(overlaps) / 2), layers)
        draw_line(left, line, ordered_look(place, len(overlaps)), f"{overlap:g}")
        ends.append(end_of(line, 0.3, f"{100 * overlap:.0f} % shared", INK))
    dress(left, names=True, layers=layers)
    left.set_xlim(right=len(layers) + 1.6)
    left.plot([-0.45, len(layers) - 0.7], [0, 0], zorder=1, **BASE_LINE)
    label_ends(left, ends, 2.6)
    left.set_ylabel("AnB, paired difference to base (points)", fontsize=TEXT_SIZE, color=INK)
    left.set_xlabel("n: number of layers copied", fontsize=TEXT_SIZE, color=INK)
    _draw_over_overlap(right, rows)
    return figure


def describe_distance(table: pd.DataFrame, data: str) -> str:
    """Alternative text of the distance dial; arguments and errors as for `draw_distance`."""
    rows = _transfers(table)
    told = []
    for overlap in sorted(rows["overlap"].unique(), reverse=True):
        summary = summarise(rows[rows["overlap"] == overlap])
        told.append(f"With {100 * overlap:.0f} % shared, AnB {trend(summary)}.")
    opening = "Mean paired differences of AnB in points over n, a line per share of common parts."
    return " ".join([opening, f"{caption(_renamed(rows), data, ('AnB',))}.", *told])


def _transfers(table: pd.DataFrame) -> pd.DataFrame:
    found = table["split"].str.extract(_SPLIT.pattern, expand=False).astype(float)
    rows = table.assign(overlap=found)[found.notna() & (table["treatment"] == "AnB") & table["paired"].notna()]
    if rows.empty:
        raise UsageError("the table has no AnB of a split overlap-x with its base: sweep some overlaps of shapeworld.")
    return rows


def _renamed(rows: pd.DataFrame) -> pd.DataFrame:
    """One name for all splits in the caption: the figure itself says which they are; points are per split."""
    return rows.assign(split="overlap-x", n=rows["n"] + 100 * rows["split"].rank(method="dense").astype(int))


def _draw_over_overlap(ax: Axes, rows: pd.DataFrame) -> None:
    shown = [n for n in _SHOWN if n in set(rows["n"])]
    ends: list[End | None] = []
    for place, n in enumerate(shown):
        means = 100 * rows[rows["n"] == n].groupby("overlap")["paired"].mean()
        look = ordered_look(place, len(shown)) | {"color": "#4d4d4d", "markerfacecolor": "white"}
        ax.plot(100 * means.index, means, gid=f"n = {n}", **look | {"markeredgecolor": INK})
        ends.append(End(float(100 * means.index[-1]) + 6, float(means.iloc[-1]), f"n = {n}", INK))
    ax.plot([-6, 104], [0, 0], zorder=1, **BASE_LINE)
    ax.set_xlim(-6, 135)
    ax.set_xticks([0, 25, 50, 75, 100])
    label_ends(ax, ends, 2.6)
    ax.set_xlabel("Shared vocabulary (%)", fontsize=TEXT_SIZE, color=INK)
    ax.yaxis.set_major_locator(round_ticks())
    ax.tick_params(labelsize=SMALL_SIZE, colors=INK, length=3, width=0.8, labelleft=False)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
