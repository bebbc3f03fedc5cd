"""Figure 2 of Yosinski et al. 2014: every network as a marker, and the mean paired differences over n."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from transferkit.figures.lines import (
    FIGURE2,
    RANDOM,
    Floats,
    Line,
    base_mean,
    dress_differences,
    end_of,
    label_ends,
    paired_line,
    plot_line,
    plot_networks,
    select,
    spread,
    treatments_in,
)
from transferkit.figures.picture import Picture, page
from transferkit.figures.readings import NOTEWORTHY, READINGS, SECOND, Reading, find_readings, heights, mark_readings
from transferkit.figures.style import INK, LARGE, LEGEND, SMALL, STYLES, TEXT_SIZE, authors_key, faint, key, top1_axis
from transferkit.figures.words import authors_note, bases, caption, interval_note, listed, sides, trends
from transferkit.results import Learned, have_learned, layers_of, summarise
from transferkit.treatments import Treatment

_LINE_SHIFT = 0.33  # of a treatment's offset: so far its means are moved, that intervals stand side by side
_PANEL_HEIGHT = 2.6  # inches, about
_SEEN = 0.02  # of the axis: an area that is nowhere higher is left out

_FILLS: dict[int, dict[str, Any]] = {  # by the number of their reading; later ones lie above earlier ones
    SECOND: {"facecolor": "#eef6ec", "hatch": "....", "edgecolor": "#8fb48a", "linewidth": 0},
    2: {"facecolor": "#dbe9f6", "hatch": "\\\\\\", "edgecolor": "#9dbfdd", "linewidth": 0},
    4: {"facecolor": "#f8d5bb", "edgecolor": "none", "linewidth": 0},
}


def figure2(
    table: pd.DataFrame, data: str | None = None, title: str = "How transferable are the features?", *,
    authors: pd.DataFrame | None = None, learned: Learned | None = None,
) -> Picture:  # fmt: skip
    """Figure 2: every network above, mean paired differences below, with the paper's readings where they hold.

    `table` comes from `results.tabulate` and may lack runs; `data` names another data set in the caption than the
    table's. `authors`, a table like it, lie underneath below. `learned` says whether the bases have learned; without it
    the table's own networks decide. Raises UsageError for a table without networks.

    >>> tk.figure2(table).alt[:47]
    'Above, the accuracy of every network over n, th'
    """
    chosen = select(table, FIGURE2)
    summary = summarise(chosen[chosen["paired"].notna()])
    readings = find_readings(summary)
    numbers = (
        f"Numbers: the paper's readings, where means differ by {NOTEWORTHY:.0f} point or more "
        "and no interval reaches the other mean."
    )
    held = [_told(reading) for reading in readings]
    unheld = _not_seen(summary, readings)
    judged = str(learned or have_learned(table))
    basis, dotted = f"{caption(chosen, data)}.", authors_note(authors, FIGURE2)
    said = " ".join([*[numbers] * any(reading.number for reading in readings), *unheld, interval_note(chosen)])
    notes = [f"{basis} Above, one marker per network{sides(chosen)}.", said, judged, *dotted]
    figure = page(7.1 + 0.16 * len(notes), title, notes, key(treatments_in(chosen), base_mean(chosen)), rows=2)
    above, below = figure.subplots(2, 1, height_ratios=(1, 1.05))
    plot_networks(above, table)
    plot_means(below, table, authors=authors)
    opening = "Above, the accuracy of every network over n, the number of layers copied; below, means against base."
    words = [opening, basis, bases(chosen), *trends(chosen, FIGURE2), *held, *unheld, judged, *dotted]
    return Picture(figure, " ".join(words))


def random_filters(
    table: pd.DataFrame, data: str | None = None, title: str = "Random, untrained filters", *,
    authors: pd.DataFrame | None = None,
) -> Picture:  # fmt: skip
    """Random frozen filters beside transferred ones (Figure 3, top right and bottom): means and networks, one panel.

    Arguments and errors as for `figure2`.

    >>> tk.random_filters(table).alt[:43]
    'Networks on random, untrained filters and o'
    """
    chosen = select(table, RANDOM)
    basis, dotted = f"{caption(chosen, data, RANDOM)}.", authors_note(authors, RANDOM)
    notes = [basis, f"Small markers: single networks{sides(chosen)}. {interval_note(chosen)}", *dotted]
    figure = page(4.5 + 0.16 * len(notes), title, notes, key(treatments_in(chosen), base_mean(chosen)), rows=2)
    plot_means(figure.subplots(), table, RANDOM, networks=True, authors=authors)
    opening = "Networks on random, untrained filters and on transferred ones against base, over n, the layers copied."
    return Picture(figure, " ".join([opening, basis, bases(chosen), *trends(chosen, RANDOM), *dotted]))


def _told(reading: Reading) -> str:
    if reading.number == SECOND:
        return f"{reading.words}, at n = {listed(reading.at)}."
    return f"Reading {reading.number} of the paper ({reading.words}) holds at n = {listed(reading.at)}."


def _not_seen(summary: pd.DataFrame, readings: Sequence[Reading]) -> list[str]:
    """A sentence about the readings that these networks could show, but that do not hold."""
    there, holding = {"base", *summary["treatment"]}, {reading.number for reading in readings}
    numbers = [
        at for at, (upper, lower, _) in READINGS.items() if {upper, lower} <= there and at not in {*holding, SECOND}
    ]
    if not numbers:
        return []
    return [f"Not seen in these networks: reading{'s' * (len(numbers) > 1)} {listed(numbers)} of the paper."]


def plot_means(
    ax: Axes, table: pd.DataFrame, treatments: Sequence[Treatment] = FIGURE2, *, networks: bool = False,
    authors: pd.DataFrame | None = None,
) -> None:  # fmt: skip
    """Draw a line per treatment through the means of its paired differences, in percentage points (Figure 2, bottom).

    All lines start at the bases' 0. Bars are the 95 % intervals of `results.summarise`, where it gives them;
    `networks` adds a small marker for each. The readings of the paper that hold are numbered. `authors`, from
    `authors.authors_table`, lie faintly underneath. The axis on the right adds the bases' mean, in percent.
    Networks without their target's base are left out.
    """
    paired = table[table["paired"].notna()]
    summary, layers = summarise(paired), layers_of(table)
    lines = {name: paired_line(summary, name, STYLES[name].offset * _LINE_SHIFT, layers) for name in treatments}
    if authors is not None:
        _plot_authors(ax, authors, treatments)
    for treatment, line in lines.items():
        plot_line(ax, line, STYLES[treatment].line(LARGE, joined=True), treatment)
        if networks and treatment != "base":
            chosen, look = paired[paired["treatment"] == treatment], STYLES[treatment].line(SMALL - 1, joined=False)
            x = line.x[chosen["n"]] + spread(chosen, 0.15)
            ax.plot(x, 100 * chosen["paired"], alpha=0.55, zorder=2, **look)
    dress_differences(ax, layers)
    ax.margins(y=0.08)
    if paired.empty:
        ax.set_yticks([])
        message = "no network has its base to be compared with"
        ax.text(0.5, 0.6, message, transform=ax.transAxes, ha="center", fontsize=TEXT_SIZE, color=INK)
    _read(ax, find_readings(summary), lines, [] if authors is None else [authors_key()])
    gap = 0.39 if networks else 0.22
    ends = [end_of(line, gap, treatment, STYLES[treatment].edge) for treatment, line in lines.items()]
    label_ends(ax, ends, _PANEL_HEIGHT)
    top1_axis(ax, base_mean(table))


def _plot_authors(ax: Axes, authors: pd.DataFrame, treatments: Sequence[Treatment]) -> None:
    """Draw the authors' mean paired differences in points: dotted, each with the hollow marker of its treatment."""
    summary = summarise(authors[authors["paired"].notna()])
    for treatment in treatments:
        if treatment != "base" and (summary["treatment"] == treatment).any():
            line = paired_line(summary, treatment, STYLES[treatment].offset * _LINE_SHIFT)
            marked = np.flatnonzero(np.isfinite(line.mean) & (line.x > 0)).tolist()
            look = faint(STYLES[treatment])
            ax.plot(line.x, line.mean, gid=f"authors {treatment}", zorder=1.5, markevery=marked, **look)


def _read(ax: Axes, readings: tuple[Reading, ...], lines: dict[Treatment, Line], others: Sequence[Line2D]) -> None:
    """Fill between the lines, number the readings that hold, and say above the panel what the numbers mean."""
    shown = tuple(reading for reading in readings if {reading.upper, reading.lower} <= set(lines))
    _fill(ax, lines, {reading.number: reading for reading in shown})
    mark_readings(ax, shown, lines)
    if entries := [*(_entry(reading) for reading in shown), *others]:
        ax.legend(
            handles=entries, loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=2, borderaxespad=0.1, borderpad=0.2,
            handlelength=1.9, columnspacing=1.2, **LEGEND,
        )  # fmt: skip


def _fill(ax: Axes, lines: dict[Treatment, Line], readings: dict[int, Reading]) -> None:
    low, high = ax.get_ylim()
    last = len(next(iter(lines.values())).mean) - 1
    x = np.linspace(0, last, 1 + 100 * last)
    for number, look in _FILLS.items():
        if number not in readings:
            continue
        pair = (readings[number].upper, readings[number].lower)
        above, below = (_between(x, lines[name].x, heights(lines, name)) for name in pair)
        shown = above > below
        if (above - below)[shown].max(initial=0) > _SEEN * (high - low):
            ax.fill_between(x, above, below, where=shown, zorder=0.5, **look)
    ax.set_ylim(low, high)


def _between(x: Floats, n: Floats, means: Floats) -> Floats:
    there = np.isfinite(means)
    return np.interp(x, n[there], means[there], right=np.nan)


def _entry(reading: Reading) -> Line2D | Patch:
    words = f"{reading.number}  {reading.words}" if reading.number != SECOND else reading.words
    if reading.number in _FILLS:
        return Patch(label=words, **_FILLS[reading.number])
    return Line2D([], [], linestyle="none", label=words)
