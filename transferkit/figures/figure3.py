"""Figure 3 of Yosinski et al. 2014: similar and dissimilar halves and random filters, relative to base."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from transferkit.errors import UsageError
from transferkit.figures.lines import Line, dress_differences, end_of, label_ends, paired_line, plot_line, spread
from transferkit.figures.picture import Picture, page
from transferkit.figures.style import LARGE, LEGEND, ON_LINES, QUIET, SMALL, SMALL_SIZE, STYLES, dress, faint, label
from transferkit.figures.words import CROSSED, data_of, networks_per_point, number, on_plateau, plateau_note, trend
from transferkit.results import layers_of, summarise
from transferkit.splits import SplitKind, is_of_kind
from transferkit.treatments import Half, Treatment

_ENTRIES_IN_A_ROW = 3
_NAMES: dict[Half, str] = {"B": "target natural", "A": "target man-made"}

SIMILAR_ANB, DISSIMILAR_ANB, RANDOM_RNB = "AnB, similar halves", "AnB, dissimilar halves", "RnB, random filters"
APART_ANB = "AnB, same kinds but no common photograph"
FAR = "#7a4a00"
_APART = "#8a5a9e"
_ANB, _RNB = (STYLES[name].line(LARGE, joined=True) for name in ("AnB", "RnB"))
_HOLLOW = {"markerfacecolor": "#ffffff", "markeredgecolor": FAR, "color": FAR, "linestyle": "--"}
_SQUARE = {
    "marker": "s", "markersize": 5.5, "markeredgecolor": _APART, "markerfacecolor": "#ffffff", "color": _APART,
    "linestyle": "-.",
}  # fmt: skip
LOOKS: Mapping[str, dict[str, Any]] = {
    SIMILAR_ANB: _ANB, APART_ANB: _ANB | _SQUARE, DISSIMILAR_ANB: _ANB | _HOLLOW, RANDOM_RNB: _RNB
}  # fmt: skip
ENDS: Mapping[str, str] = {
    SIMILAR_ANB: "similar", APART_ANB: "apart", DISSIMILAR_ANB: "dissimilar", RANDOM_RNB: "random"
}  # fmt: skip
_ROOM = 0.35  # of the fall of AnB: so far the axis reaches below it, and no further
_RIGHT = 0.6  # chop points beyond the last layer: the names at the ends of the lines need room


def figure3(
    table: pd.DataFrame, data: str | None = None, title: str = "Dissimilar halves and random filters", *,
    classes: int | None = None, authors: pd.DataFrame | None = None,
) -> Picture:  # fmt: skip
    """Figure 3: transfer between man-made and natural (left), random filters (right), all relative to base (below).

    `table`, from `results.tabulate`, has networks of the split `natural` and of others; those of the splits
    `apart0`, ... have a line of their own below. `classes` of a half lets it mark random filters that never left the
    plateau. `authors`, the three parts of their figures from `authors.authors_table` together, lie underneath below.
    Raises UsageError when AnB or RnB is missing altogether.

    >>> tk.figure3(table).alt[:46]
    'Top-1 of transfer between man-made and natural'
    """
    parts, theirs = _parts(table), {} if authors is None else _parts(authors)
    random = parts.get(RANDOM_RNB, table[:0])
    seeds = number(table["seed"].nunique(), "seed")
    basis = f"{_counted(parts)} ({seeds}; data {data_of(table, data)}). Small markers: single networks."
    dotted = [f"Dotted, below: the authors' published networks on ImageNet ({_counted(theirs)})."] if theirs else []
    notes = [basis, plateau_note(random, classes), *dotted]
    entries = [Line2D([], [], label=name, **LOOKS[name]) for name in parts]
    rows = -(-len(entries) // _ENTRIES_IN_A_ROW)
    figure = page(6.44 + 0.16 * (rows + len(notes)), title, notes, entries, rows=rows)
    grid = figure.add_gridspec(2, 2, height_ratios=(1, 1.25))
    _draw_targets(figure.add_subplot(grid[0, 0]), table)
    _draw_random(figure.add_subplot(grid[0, 1]), table, random, classes)
    _draw_relative(figure.add_subplot(grid[1, :]), parts, theirs)
    opening = "Top-1 of transfer between man-made and natural classes, of random filters, and of both against base."
    trends = [f"{name} {trend(summarise(rows))}." for name, rows in parts.items()]
    words = [opening, basis, "Mean paired differences in points:", *trends, *notes[1:]]
    return Picture(figure, " ".join(filter(None, words)))


def _counted(parts: Mapping[str, pd.DataFrame]) -> str:
    return "; ".join(f"{name}: {networks_per_point(rows)}" for name, rows in parts.items())


def _parts(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The networks behind each of the lines, those of random filters on similar halves where there are any."""
    far, apart = _of_kind(table, "natural"), _of_kind(table, "apart")
    random = table["treatment"] == "RnB"
    transfer = table["treatment"] == "AnB"
    chosen = {
        SIMILAR_ANB: table[transfer & ~far & ~apart],
        APART_ANB: table[transfer & apart],
        DISSIMILAR_ANB: table[transfer & far],
        RANDOM_RNB: table[random & ~far] if (random & ~far).any() else table[random],
    }
    found = {name: rows[rows["paired"].notna()] for name, rows in chosen.items() if rows["paired"].notna().any()}
    if not found:
        raise UsageError("the table has no network of AnB or RnB with its base: train some with the sweep first.")
    return found


def _of_kind(table: pd.DataFrame, kind: SplitKind) -> pd.Series:
    return table["split"].map(lambda split: is_of_kind(split, kind)).astype(bool)


def _draw_targets(ax: Axes, table: pd.DataFrame) -> None:
    """Top-1 of AnB on the dissimilar split, each target with its own line, and of its bases."""
    rows = table[_of_kind(table, "natural")]
    for target, name in _NAMES.items():
        look = LOOKS[DISSIMILAR_ANB] | ({"markerfacecolor": FAR, "linestyle": "-"} if target == "B" else {})
        _draw_accuracy(ax, rows[rows["target"] == target], "AnB", look, name)
    _finish(ax, "AnB between man-made and natural", table)
    ax.legend(loc="lower left", borderaxespad=0.2, **LEGEND)
    if rows.empty:
        _say_empty(ax, "no networks of split natural")


def _draw_random(ax: Axes, table: pd.DataFrame, rows: pd.DataFrame, classes: int | None) -> None:
    """Top-1 of `rows`, random filters, and of their bases; networks on the plateau are hollow and crossed out."""
    behind = table[(table["treatment"] == "base") & table["split"].isin(rows["split"])]
    shown = pd.concat([behind, rows]) if len(behind) else rows
    x = _draw_accuracy(ax, shown, "RnB", LOOKS[RANDOM_RNB], "mean")
    failed = shown[on_plateau(shown, classes) & (shown["treatment"] == "RnB")]
    ax.plot(x[failed.index], 100 * failed["top1"], **CROSSED)
    _finish(ax, "Random, untrained filters", table)
    if rows.empty:
        _say_empty(ax, "no networks on random filters")


def _draw_accuracy(ax: Axes, rows: pd.DataFrame, treatment: Treatment, look: dict[str, Any], name: str) -> pd.Series:
    """Networks and the line of their mean top-1, called `name`, from the bases' mean on; x of each network."""
    chosen = rows[rows["treatment"].isin(["base", treatment])]
    means = 100 * chosen.groupby("n")["top1"].mean()
    small = look | {"linestyle": "none", "markersize": SMALL - 1, "alpha": 0.55}
    x = chosen["n"] + spread(chosen, 0.2)
    ax.plot(x, 100 * chosen["top1"], zorder=2, gid="networks", **small)
    ax.plot(means.index, means, zorder=3, gid="means", label=name, **look)
    if 0 in means:
        ax.plot([0], [means[0]], zorder=4, **STYLES["base"].line(LARGE, joined=False))
    return x


def _finish(ax: Axes, title: str, table: pd.DataFrame) -> None:
    dress(ax, names=False, layers=layers_of(table))
    label(ax, "n", "Top-1 accuracy (%)", title)
    ax.xaxis.labelpad = 1
    ax.margins(y=0.12)


def _say_empty(ax: Axes, message: str) -> None:
    ax.set_yticks([])
    ax.text(0.5, 0.5, message, transform=ax.transAxes, ha="center", fontsize=SMALL_SIZE, color=QUIET)


def _draw_relative(ax: Axes, parts: Mapping[str, pd.DataFrame], authors: Mapping[str, pd.DataFrame]) -> None:
    """Draw the mean paired difference of each part, and the authors' dotted underneath.

    The parts are tables by their names, keys of LOOKS. The axis follows AnB; random filters may leave it, as in
    the paper, which is written where they do.
    """
    lines, ends, layers = {}, [], layers_of(next(iter(parts.values())))
    for place, (name, rows) in enumerate(parts.items()):
        lines[name] = paired_line(summarise(rows), _treatment(name), 0.06 * (place - 1), layers)
        plot_line(ax, lines[name], LOOKS[name], name)
    for name, rows in authors.items():
        line = paired_line(summarise(rows), _treatment(name))
        look = faint(STYLES[_treatment(name)]) | {"color": LOOKS[name]["color"]}
        ax.plot(line.x, line.mean, gid=f"authors {name}", zorder=1.5, **look)
        ends += [end_of(line, 0.2, f"authors: {ENDS[name]}", QUIET)]
    dress_differences(ax, layers)
    ax.set_xlim(right=len(layers) + _RIGHT)
    ax.plot([0], [0], zorder=4, **STYLES["base"].line(LARGE, joined=False))
    gone = _limit(ax, lines)
    ends += [end_of(line, 0.2, ENDS[name], LOOKS[name]["color"]) for name, line in lines.items()]
    floor = ax.get_ylim()[0]
    label_ends(ax, [end for end in ends if end is not None and end.y >= floor], 2.4)
    for name, last in gone.items():
        above_axis = floor + 0.025 * (ax.get_ylim()[1] - floor)
        ax.text(last, above_axis, f" {ENDS[name]}, below", fontsize=SMALL_SIZE, color=QUIET, va="bottom", **ON_LINES)


def _limit(ax: Axes, lines: Mapping[str, Line]) -> dict[str, float]:
    """Let the axis follow AnB where there is some; which lines end below it, and where they leave it."""
    transfer = [line for name, line in lines.items() if _treatment(name) == "AnB"]
    if not transfer:
        return {}
    values = np.concatenate([np.append(line.mean, [line.low, line.high]) for line in transfer])
    low, high = np.nanmin(values), np.nanmax(values)
    room = max(_ROOM * (high - low), 1.0)
    floor = float(low - room)
    ax.set_ylim(floor, float(high + 0.3 * room))
    gone = {}
    for name, line in lines.items():
        there = np.flatnonzero(np.isfinite(line.mean))
        if line.mean[there[-1]] < floor:
            x = np.linspace(0, line.x[there[-1]], 800)
            below = np.interp(x, line.x[there], line.mean[there]) < floor
            gone[name] = float(x[int(np.argmax(below))])
    return gone


def _treatment(name: str) -> Treatment:
    return "RnB" if name == RANDOM_RNB else "AnB"
