"""The distance dial: transfer between halves that share a known part of what their classes are made of."""

import pandas as pd
from matplotlib.axes import Axes

from course.figures.looks import ordered_look
from transferkit.errors import UsageError
from transferkit.figures.lines import End, end_of, label_ends, paired_line, plot_line
from transferkit.figures.picture import Picture, page
from transferkit.figures.style import BASE_LINE, INK, dress, label, round_ticks, tidy
from transferkit.figures.words import caption, interval_note, trend
from transferkit.results import layers_of, summarise
from transferkit.splits import is_of_kind, overlap_of

_SHOWN = (1, 3, 5, 7)  # chop points of the panel on the right


def distance(table: pd.DataFrame, data: str, title: str = "Transfer over the distance of the halves") -> Picture:
    """AnB against base over n, a line per overlap of the halves, darkest for none; and the same over the overlap.

    `table`, from `results.tabulate`, has splits `overlap-x`. Raises UsageError when it has no AnB of such splits.
    """
    rows = _transfers(table)
    overlaps, layers = sorted(rows["overlap"].unique(), reverse=True), layers_of(rows)
    one = rows[rows["overlap"] == overlaps[0]]  # an interval is within one overlap, never over several
    said = f"{caption(_renamed(rows), data, ('AnB',))}."
    sentences = [f"Mean paired differences of AnB in points over n, a line per share of common parts. {said}"]
    notes = [said, interval_note(one)]
    figure = page(3.9 + 0.16 * len(notes), title, notes)
    left, right = figure.subplots(1, 2, width_ratios=(1.75, 1), sharey=True)
    ends = []
    for place, overlap in enumerate(overlaps):
        summary = summarise(rows[rows["overlap"] == overlap])
        line = paired_line(summary, "AnB", 0.05 * (place - len(overlaps) / 2), layers)
        plot_line(left, line, ordered_look(place, len(overlaps)), f"{overlap:g}")
        ends.append(end_of(line, 0.3, f"{100 * overlap:.0f} % shared", INK))
        sentences.append(f"With {100 * overlap:.0f} % shared, AnB {trend(summary)}.")
    dress(left, names=True, layers=layers)
    left.set_xlim(right=len(layers) + 1.6)
    left.plot([-0.45, len(layers) - 0.7], [0, 0], zorder=1, **BASE_LINE)
    label_ends(left, ends, 2.6)
    label(left, "n: number of layers copied", "AnB, paired difference to base (points)")
    _draw_over_overlap(right, rows)
    return Picture(figure, " ".join(sentences))


def _transfers(table: pd.DataFrame) -> pd.DataFrame:
    dial = table["split"].map(lambda split: is_of_kind(split, "overlap")).astype(bool)
    rows: pd.DataFrame = table[dial & (table["treatment"] == "AnB") & table["paired"].notna()]
    rows = rows.assign(overlap=rows["split"].map(overlap_of))
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
    label(ax, "Shared vocabulary (%)")
    ax.yaxis.set_major_locator(round_ticks())
    tidy(ax)
    ax.tick_params(labelleft=False)
