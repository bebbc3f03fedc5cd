"""Figure 3 of Yosinski et al. 2014: dissimilar halves, random filters, and both relative to base."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from transferkit.errors import UsageError
from transferkit.figures.lines import spread
from transferkit.figures.page import page
from transferkit.figures.plateau import CROSSED, on_plateau, plateau_note
from transferkit.figures.relative import (
    APART_ANB,
    DISSIMILAR_ANB,
    FAR,
    LOOKS,
    RANDOM_RNB,
    SIMILAR_ANB,
    draw_relative,
    summary_of,
)
from transferkit.figures.style import INK, LARGE, QUIET, SMALL, SMALL_SIZE, STYLES, TEXT_SIZE, dress
from transferkit.figures.words import decapitalise, networks_per_point, number, trend
from transferkit.results import layers_of
from transferkit.treatments import Half, Treatment

DISSIMILAR = "natural"  # the split whose half A is man-made and whose half B is natural
APART = "apart"  # what the names of splits begin with whose halves share no photograph
_ENTRIES_IN_A_ROW = 3
_NAMES: dict[Half, str] = {"B": "target natural", "A": "target man-made"}


def draw_figure3(
    table: pd.DataFrame,
    data: str,
    title: str = "Dissimilar halves and random filters",
    *,
    classes: int | None = None,
    authors: pd.DataFrame | None = None,
) -> Figure:
    """Figure 3: transfer between man-made and natural (left), random filters (right), all relative to base (below).

    `table` is as of `results.tabulate`, with networks of the split `natural` and of others; those of the splits
    `apart0`, ... have a line of their own below. `classes` of a half lets
    it mark random filters that never left the plateau. `authors`: as of `authors.authors_table`, the three parts of
    their figures together, laid underneath below. Raises UsageError when AnB or RnB is missing altogether.
    """
    parts = _parts(table)
    notes = [_note(table, data), plateau_note(parts.get(RANDOM_RNB, table[:0]), classes), *_authors_notes(authors)]
    entries = [Line2D([], [], label=name, **LOOKS[name]) for name in parts]
    rows = -(-len(entries) // _ENTRIES_IN_A_ROW)
    figure = page(6.44 + 0.16 * (rows + len(notes)), title, [note for note in notes if note], entries, rows=rows)
    grid = figure.add_gridspec(2, 2, height_ratios=(1, 1.25))
    _draw_targets(figure.add_subplot(grid[0, 0]), table)
    _draw_random(figure.add_subplot(grid[0, 1]), table, classes)
    draw_relative(figure.add_subplot(grid[1, :]), parts, {} if authors is None else _parts(authors))
    return figure


def describe_figure3(table: pd.DataFrame, data: str, *, classes: int | None = None) -> str:
    """Alternative text of Figure 3; arguments and errors as for `draw_figure3`."""
    told = [f"{name} {trend(summary_of(rows, name))}." for name, rows in _parts(table).items()]
    opening = "Top-1 of transfer between man-made and natural classes, of random filters, and of both against base."
    failed = plateau_note(_parts(table).get(RANDOM_RNB, table[:0]), classes)
    return " ".join(filter(None, [opening, _note(table, data), "Mean paired differences in points:", *told, failed]))


def _parts(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The networks behind each of the lines, those of random filters on similar halves where there are any."""
    far, apart = table["split"] == DISSIMILAR, table["split"].str.startswith(APART)
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


def _draw_targets(ax: Axes, table: pd.DataFrame) -> None:
    """Top-1 of AnB on the dissimilar split, each target with its own line, and of its bases."""
    rows = table[table["split"] == DISSIMILAR]
    for target, name in _NAMES.items():
        look = LOOKS[DISSIMILAR_ANB] | ({"markerfacecolor": FAR, "linestyle": "-"} if target == "B" else {})
        _draw_accuracy(ax, rows[rows["target"] == target], "AnB", look, name)
    _finish(ax, "AnB between man-made and natural", table)
    ax.legend(loc="lower left", fontsize=SMALL_SIZE, labelcolor=INK, frameon=False, borderaxespad=0.2)
    if rows.empty:
        _say_empty(ax, "no networks of split natural")


def _draw_random(ax: Axes, table: pd.DataFrame, classes: int | None) -> None:
    """Top-1 of random filters and of their bases; networks on the plateau are hollow and crossed out."""
    parts = _parts(table)
    rows = parts.get(RANDOM_RNB, table[:0])
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
    ax.set_title(title, loc="left", fontsize=TEXT_SIZE, color=INK)
    ax.set_ylabel("Top-1 accuracy (%)", fontsize=TEXT_SIZE, color=INK)
    ax.set_xlabel("n", fontsize=TEXT_SIZE, color=INK, labelpad=1)
    ax.margins(y=0.12)


def _say_empty(ax: Axes, message: str) -> None:
    ax.set_yticks([])
    ax.text(0.5, 0.5, message, transform=ax.transAxes, ha="center", fontsize=SMALL_SIZE, color=QUIET)


def _note(table: pd.DataFrame, data: str) -> str:
    counts = [f"{name}: {decapitalise(networks_per_point(rows))}" for name, rows in _parts(table).items()]
    seeds = number(table["seed"].nunique(), "seed")
    return f"{'; '.join(counts)} ({seeds}; data {data}). Small markers: single networks."


def _authors_notes(authors: pd.DataFrame | None) -> list[str]:
    if authors is None:
        return []
    counts = "; ".join(f"{name}: {decapitalise(networks_per_point(rows))}" for name, rows in _parts(authors).items())
    return [f"Dotted, below: the authors' published networks on ImageNet ({counts})."]
