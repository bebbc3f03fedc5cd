"""First layers compared: the shares of the kinds of their filters, and how alike two of them are, pair by pair."""

from collections.abc import Mapping, Sized
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course.evidence.first_layers import Matching
from course.figures.filter_sheet import LOOKS, kinds_in_words
from course.looking.kinds import KINDS, count_kinds
from transferkit.errors import UsageError
from transferkit.figures.picture import Picture, page
from transferkit.figures.style import INK, LINE_WIDTH, SMALL_SIZE, label, tidy

_FITTED = "A filter's kind follows from the nearest Gabor or patch."
_R2 = "R\N{SUPERSCRIPT TWO}"
_NARROW = 0.035  # of a bar: a count does not fit into less
_APART = 0.125  # of the axis: the least distance of two labels, which have two lines
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.6)), (0, (1, 1.2)), (0, (7, 1.5, 1.2, 1.5)))
_COLOURS = (INK, "#006d55", "#a6407d", "#8a6a00")


def shares(tables: Mapping[str, pd.DataFrame], title: str = "What the filters of conv1 are") -> Picture:
    """One bar per network: the shares of the kinds of its filters, with the counts written in, and the median R2.

    tables: by network, from `kinds.fit_table`. Raises UsageError when there is none, or one without filters.
    """
    check_any(tables)
    notes = (f"Numbers in the bars: filters. n: all filters of that conv1. {_R2}: the median of its fits. {_FITTED}",)
    figure = page(1.55 + 0.42 * len(tables), title, notes, _swatches())
    ax = figure.subplots()
    for place, table in enumerate(tables.values()):
        _draw_bar(ax, place, table)
    names = [f"{name}\nn = {len(table)}, {_R2} {table['r2'].median():.2f}" for name, table in tables.items()]
    ax.set_yticks(range(len(tables)), names, fontsize=SMALL_SIZE)
    ax.set_ylim(len(tables) - 0.45, -0.62)
    ax.set_xlim(0, 100)
    label(ax, "Share of the filters (%)")
    tidy(ax, "left")
    ax.tick_params(axis="y", length=0)
    bars = [
        f"{name}, {len(table)} filters, median R2 {table['r2'].median():.2f}: {kinds_in_words(table)}."
        for name, table in tables.items()
    ]
    return Picture(figure, " ".join(["One bar per network, parted by the kinds of its conv1 filters.", *bars]))


def matching(matchings: Mapping[str, Matching], title: str = "How alike two first layers are") -> Picture:
    """A line per comparison: the cosines of its matched pairs of filters, most alike first.

    matchings: by comparison, from `table.match_filters`. Raises UsageError when there is none, or an empty one.
    """
    if not matchings:
        raise UsageError("there is no comparison to draw: match the filters of at least two networks.")
    cosines = {name: found.likeness for name, found in matchings.items()}
    for name, values in cosines.items():
        if len(values) == 0:
            raise UsageError(f"{name} has no pair of filters: match two networks that have filters.")
    notes = (
        "Filters are paired one to one so that they are most alike in all; a cosine is that of their weights at the "
        "best small shift. 1: the same filter; 0: nothing in common. n: pairs.",
    )
    figure = page(4.2, title, notes)
    ax = figure.subplots()
    longest = max(len(values) for values in cosines.values())
    lowest = min(float(values.min()) for values in cosines.values())
    ax.set(xlim=(0.5, longest + 0.5), ylim=(min(0.0, lowest - 0.02), 1.02))
    heights = _apart([float(values[-1]) for values in cosines.values()], ax.get_ylim()[0] + 0.05)
    said = ["Cosines of the matched pairs of filters, most alike first, a line per comparison."]
    looks = zip(heights, cycle(_DASHES), cycle(_COLOURS), strict=False)
    for (name, values), (height, dash, colour) in zip(cosines.items(), looks, strict=True):
        pairs, mean = len(values), f"mean {values.mean():.2f}"
        ax.plot(np.arange(1, pairs + 1), values, linestyle=dash, color=colour, linewidth=1.3 * LINE_WIDTH, label=name)
        words = f"{name}\n{mean}, n = {pairs}"
        x = pairs + 0.02 * longest
        ax.text(x, height, words, color=colour, fontsize=SMALL_SIZE, va="center", linespacing=1.25)
        said.append(f"{name}, {pairs} pairs: from {values[0]:.2f} to {values[-1]:.2f}, {mean}.")
    label(ax, "Rank of the pair, most alike first", "Cosine of the two filters")
    tidy(ax)
    return Picture(figure, " ".join(said))


def check_any(tables: Mapping[str, Sized]) -> None:
    """Raises UsageError when there is no network, or one of them has no filter."""
    if not tables:
        raise UsageError("there is no network to draw: give at least one, by its name.")
    for name, table in tables.items():
        if len(table) == 0:
            raise UsageError(f"{name} has no filters: give one row for each filter of its conv1.")


def _swatches() -> list[Rectangle]:
    return [
        Rectangle((0, 0), 1, 1, facecolor=look.fill, edgecolor=INK, hatch=look.hatch, linewidth=0.8, label=look.name)
        for look in (LOOKS[kind] for kind in KINDS)
    ]


def _draw_bar(ax: Axes, place: int, table: pd.DataFrame) -> None:
    """One bar; a count stands in its part, or above it where that is too narrow."""
    start = 0.0
    for kind, number in count_kinds(table).items():
        share, look = number / len(table), LOOKS[kind]
        if share > 0:
            ax.barh(
                place, 100 * share, left=100 * start, height=0.62,
                facecolor=look.fill, edgecolor=INK, hatch=look.hatch, linewidth=0.8, gid=kind,
            )  # fmt: skip
            inside = share >= _NARROW
            ax.text(
                100 * (start + share / 2), place if inside else place - 0.42, str(number), ha="center", va="center",
                fontsize=SMALL_SIZE, color=look.ink if inside else INK,
                bbox={"facecolor": look.fill, "linewidth": 0, "pad": 1.2} if inside else None,
            )  # fmt: skip
        start += share


def _apart(ends: list[float], floor: float) -> list[float]:
    """Heights of labels at or above these ends, in the same order and from `floor` up, _APART from one to the next."""
    heights, free = [0.0] * len(ends), floor
    for index in np.argsort(ends, kind="stable"):
        heights[index] = max(ends[index], free)
        free = heights[index] + _APART
    return heights
