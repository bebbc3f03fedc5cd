"""Figure 2 of Yosinski et al. 2014: every network as a marker, and the mean paired differences over n."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from transferkit.figures.lines import (
    FIGURE2,
    RANDOM,
    Line,
    base_mean,
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
from transferkit.figures.readings import NOTEWORTHY, READINGS, Reading, absent, find_readings, mark_readings
from transferkit.figures.style import (
    BASE_LINE,
    INK,
    LARGE,
    QUIET,
    SMALL,
    SMALL_SIZE,
    STYLES,
    TEXT_SIZE,
    authors_key,
    dress,
    faint,
    key,
    label,
    round_ticks,
)
from transferkit.figures.words import authors_note, bases, caption, interval_note, listed, sides, trends
from transferkit.results import layers_of, summarise
from transferkit.treatments import Treatment

_LINE_SHIFT = 0.33  # of a treatment's offset: so far its means are moved, that intervals stand side by side
_PANEL_HEIGHT = 2.6  # inches, about
_SEEN = 0.02  # of the axis: an area that is nowhere higher is left out

_Fill = tuple[Treatment, Treatment, str, str, str]  # upper, lower, colour, its hatch, the hatch's colour
_FILLS: dict[int, _Fill] = {  # by the number of the reading that speaks of them; later ones lie above earlier ones
    5: ("AnB+", "base", "#eef6ec", "....", "#8fb48a"),
    2: ("base", "BnB", "#dbe9f6", "\\\\\\", "#9dbfdd"),
    4: ("BnB", "AnB", "#f8d5bb", "", "none"),
}


def figure2(
    table: pd.DataFrame,
    data: str | None = None,
    title: str = "How transferable are the features?",
    *,
    authors: pd.DataFrame | None = None,
) -> Picture:
    """Figure 2: every network above, mean paired differences below, with the paper's readings where they hold.

    `table` comes from `results.tabulate` and may lack runs; `data` names another data set in the caption than the
    table's. `authors`, a table like it, lie underneath below. Raises UsageError for a table without networks.

    >>> picture = tk.figure2(table)
    >>> picture.alt[:47]
    'Above, the accuracy of every network over n, th'
    >>> picture.save("figure2.svg").name
    'figure2.svg'
    """
    chosen = select(table, FIGURE2)
    summary = summarise(chosen[chosen["paired"].notna()])
    readings = find_readings(summary)
    numbers = [
        f"Numbers: the paper's readings, where means differ by {NOTEWORTHY:.0f} point or more "
        "and no interval reaches the other mean."
    ]
    held = [
        f"Reading {reading.number} of the paper ({reading.words}) holds at n = {listed(reading.at)}."
        for reading in readings
    ]
    unheld = [*_not_seen(summary, readings), *_twice_trained(summary, readings)]
    said, dotted = f"{caption(chosen, data)}.", authors_note(authors, FIGURE2)
    notes = [
        f"{said} Above, one marker per network{sides(chosen)}.",
        " ".join([*(numbers if readings else []), *unheld, interval_note(chosen)]),
        *dotted,
    ]
    figure = page(7.1 + 0.16 * len(notes), title, notes, key(treatments_in(chosen), base_mean(chosen)), rows=2)
    above, below = figure.subplots(2, 1, height_ratios=(1, 1.05))
    plot_networks(above, table)
    plot_means(below, table, authors=authors)
    opening = "Above, the accuracy of every network over n, the number of layers copied; below, means against base."
    told = [opening, said, bases(chosen), *trends(chosen, FIGURE2), *held, *unheld, *dotted]
    return Picture(figure, " ".join(told))


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
    said, dotted = f"{caption(chosen, data, RANDOM)}.", authors_note(authors, RANDOM)
    notes = [said, f"Small markers: single networks{sides(chosen)}. {interval_note(chosen)}", *dotted]
    figure = page(4.5 + 0.16 * len(notes), title, notes, key(treatments_in(chosen), base_mean(chosen)), rows=2)
    plot_means(figure.subplots(), table, RANDOM, networks=True, authors=authors)
    opening = "Networks on random, untrained filters and on transferred ones against base, over n, the layers copied."
    return Picture(figure, " ".join([opening, said, bases(chosen), *trends(chosen, RANDOM), *dotted]))


def _not_seen(summary: pd.DataFrame, readings: Sequence[Reading]) -> list[str]:
    numbers = absent(summary, readings)
    if not numbers:
        return []
    return [f"Not seen in these networks: reading{'s' * (len(numbers) > 1)} {listed(numbers)} of the paper."]


def _twice_trained(summary: pd.DataFrame, readings: Sequence[Reading]) -> list[str]:
    """A warning where reading 5 holds, but the selffer control gains as much."""
    at = [n for reading in readings if reading.number == 5 for n in reading.at]
    means = summary[summary["n"].isin(at)].pivot_table(index="n", columns="treatment", values="paired")
    if "BnB+" not in means or means[["BnB+", "AnB+"]].dropna().empty:
        return []
    both = 100 * means[["BnB+", "AnB+"]].dropna().mean()
    if both["AnB+"] - both["BnB+"] >= NOTEWORTHY:
        return []
    return [
        f"Where reading 5 holds, AnB+ gains {both['AnB+']:+.1f} points and its control BnB+ {both['BnB+']:+.1f}: "
        "no more than a second training gives."
    ]


def plot_means(
    ax: Axes,
    table: pd.DataFrame,
    treatments: Sequence[Treatment] = FIGURE2,
    *,
    networks: bool = False,
    authors: pd.DataFrame | None = None,
) -> None:
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
            _draw_networks(ax, paired[paired["treatment"] == treatment], line, treatment)
    dress(ax, names=True, layers=layers)
    ax.plot([ax.get_xlim()[0], len(layers) - 0.87], [0, 0], zorder=1, **BASE_LINE)
    ax.margins(y=0.08)
    if paired.empty:
        _say_unpaired(ax)
    _read(ax, find_readings(summary), lines, [] if authors is None else [authors_key()])
    gap = 0.39 if networks else 0.22
    ends = [end_of(line, gap, treatment, STYLES[treatment].edge) for treatment, line in lines.items()]
    label_ends(ax, ends, _PANEL_HEIGHT)
    _add_accuracy_axis(ax, base_mean(table))
    label(ax, f"n: number of layers copied, {layers[0]} up to the one named", "Paired difference to base (points)")


def _plot_authors(ax: Axes, authors: pd.DataFrame, treatments: Sequence[Treatment]) -> None:
    """Draw the authors' mean paired differences in points: dotted, each with the hollow marker of its treatment."""
    summary = summarise(authors[authors["paired"].notna()])
    for treatment in treatments:
        if treatment != "base" and (summary["treatment"] == treatment).any():
            line = paired_line(summary, treatment, STYLES[treatment].offset * _LINE_SHIFT)
            marked = np.flatnonzero(np.isfinite(line.mean) & (line.x > 0)).tolist()
            look = faint(STYLES[treatment])
            ax.plot(line.x, line.mean, gid=f"authors {treatment}", zorder=1.5, markevery=marked, **look)


def _add_accuracy_axis(ax: Axes, base: float) -> None:
    """A second axis on the right: `base`, a mean top-1 (0..1), plus the difference, in percent; none for NaN."""
    if not np.isfinite(base):
        return
    percent = 100 * base
    both_ways = (lambda points: np.add(points, percent), lambda top1: np.subtract(top1, percent))
    axis = ax.secondary_yaxis("right", functions=both_ways)
    axis.yaxis.set_major_locator(round_ticks())
    axis.tick_params(labelsize=SMALL_SIZE, colors=QUIET, length=3, width=0.8)
    axis.spines["right"].set_color(QUIET)
    axis.set_ylabel("Mean of the bases + difference (%)", fontsize=TEXT_SIZE, color=QUIET)


def _draw_networks(ax: Axes, chosen: pd.DataFrame, line: Line, treatment: Treatment) -> None:
    x = line.x[chosen["n"]] + spread(chosen, 0.15)
    ax.plot(x, 100 * chosen["paired"], alpha=0.55, zorder=2, **STYLES[treatment].line(SMALL - 1, joined=False))


def _say_unpaired(ax: Axes) -> None:
    ax.set_yticks([])
    message = "no network has its base to be compared with"
    ax.text(0.5, 0.6, message, transform=ax.transAxes, ha="center", fontsize=TEXT_SIZE, color=INK)


def _read(ax: Axes, readings: tuple[Reading, ...], lines: dict[Treatment, Line], others: Sequence[Line2D]) -> None:
    """Fill between the lines, number the readings that hold, and say above the panel what the numbers mean."""
    shown = tuple(reading for reading in readings if {reading.upper, reading.lower} <= set(lines))
    _fill(ax, lines, {reading.number for reading in shown})
    mark_readings(ax, shown, lines)
    if entries := [*(_entry(reading.number) for reading in shown), *others]:
        ax.legend(
            handles=entries, loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=2, borderaxespad=0.1, borderpad=0.2,
            fontsize=SMALL_SIZE, labelcolor=INK, frameon=False, handlelength=1.9, columnspacing=1.2,
        )  # fmt: skip


def _fill(ax: Axes, lines: dict[Treatment, Line], numbers: set[int]) -> None:
    low, high = ax.get_ylim()
    last = len(next(iter(lines.values())).mean) - 1
    x = np.linspace(0, last, 1 + 100 * last)
    for number, (upper, lower, colour, hatch, hatch_colour) in _FILLS.items():
        if number not in numbers:
            continue
        above, below = (
            np.zeros_like(x) if name == "base" else np.interp(x, lines[name].x, lines[name].mean, right=np.nan)
            for name in (upper, lower)
        )
        shown = above > below
        if (above - below)[shown].max(initial=0) > _SEEN * (high - low):
            ax.fill_between(
                x, above, below, where=shown, facecolor=colour, edgecolor=hatch_colour, hatch=hatch, linewidth=0,
                zorder=0.5,
            )  # fmt: skip
    ax.set_ylim(low, high)


def _entry(number: int) -> Line2D | Rectangle:
    words = f"{number}  {READINGS[number][2]}"
    if number not in _FILLS:
        return Line2D([], [], linestyle="none", label=words)
    _, _, colour, hatch, hatch_colour = _FILLS[number]
    return Rectangle((0, 0), 1, 1, facecolor=colour, edgecolor=hatch_colour, hatch=hatch, linewidth=0, label=words)
