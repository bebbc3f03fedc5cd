"""What training found against what measures said, alone and less their selffer: one panel each."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from course.measures.judge import by_line, fit_line, is_usual, over_n, predicted, score_of
from course.measures.names import MEASURES
from transferkit.errors import UsageError
from transferkit.figures.picture import Picture, page
from transferkit.figures.style import BASE_LINE, INK, QUIET, SMALL_SIZE, label, round_ticks, tidy
from transferkit.splits import SplitKind, kind_of

SHOWN = ("logistic", "logme")
_KINDS: Mapping[SplitKind, tuple[str, dict[str, Any]]] = {
    "random": ("photos, random", {"marker": "o", "color": "#0072b2"}),
    "apart": ("photos, apart", {"marker": "s", "color": "#009e73"}),
    "natural": ("photos, natural", {"marker": "^", "color": "#d55e00"}),
    "overlap": ("shapeworld, by overlap", {"marker": "D", "color": "#7a4b94"}),
}


def agreement(cells: pd.DataFrame, title: str = "What measures say, and what training finds") -> Picture:
    """AnB of every cell against two measures: on the left as the literature uses them, on the right less the selffer.

    cells: as `kept.read_cells` gives them. The line is fitted on random splits alone. Raises UsageError without any.
    """
    known = cells.dropna(subset=["AnB"])
    if not is_usual(known).any():
        raise UsageError("there is no AnB of a random split, on which the lines are fitted: measure some first.")
    there = [kind for kind in _KINDS if (known["split"].map(kind_of) == kind).any()]
    entries = [Line2D([], [], label=name, linestyle="none", **_look(kind)) for kind, name in _named(there)]
    notes = [
        f"{len(known)} cells: a split, seed, target and n each. Lines: fitted on random splits. tau: Kendall's, over "
        "the n of a network, mean over splits. Error: that of the line on the other splits, root mean square."
    ]
    figure = page(6.3 + 0.16 * len(notes), title, notes, entries)
    words = []
    for axes, measure in zip(figure.subplots(2, 2, sharey=True), SHOWN, strict=True):
        for ax, selffer in zip(axes, (False, True), strict=True):
            words.append(_draw(ax, known, measure, selffer=selffer))
        label(axes[0], y="AnB, paired difference (points)")
    return Picture(figure, " ".join([f"{title}, in four panels.", *words, *notes]))


def _named(kinds: list[SplitKind]) -> list[tuple[SplitKind, str]]:
    return [(kind, _KINDS[kind][0]) for kind in kinds]


def _look(kind: SplitKind) -> dict[str, Any]:
    return {"markersize": 4.2, "markeredgecolor": "white", "markeredgewidth": 0.4, **_KINDS[kind][1]}


def _draw(ax: Axes, cells: pd.DataFrame, measure: str, *, selffer: bool) -> str:
    """Draw one panel; what it shows in a sentence."""
    score, usual, kinds = score_of(cells, measure, selffer=selffer), is_usual(cells), cells["split"].map(kind_of)
    for kind in _KINDS:
        own = kinds == kind
        ax.plot(score[own], 100 * cells["AnB"][own], linestyle="none", alpha=0.85, gid=kind, zorder=3, **_look(kind))
    ends = pd.Series([score.min(), score.max()])
    ax.plot(ends, 100 * fit_line(score[usual], cells["AnB"][usual]).at(ends), color=INK, linewidth=1, zorder=2)
    tau = over_n(cells, score, cells["AnB"]).value
    errors = 100 * (cells["AnB"] - predicted(cells, by_line(measure, "AnB", selffer=selffer)))[~usual]
    said = f"tau {tau:+.2f}"
    if len(errors):
        said += f"; error {np.sqrt((errors**2).mean()):.1f} points"
    ax.text(0.97, 0.05, said, transform=ax.transAxes, ha="right", fontsize=SMALL_SIZE, color=QUIET)
    ax.axhline(0, zorder=1, **BASE_LINE)
    name = MEASURES[measure] + ", less its selffer" * selffer
    label(ax, name)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=5))
    ax.yaxis.set_major_locator(round_ticks())
    tidy(ax)
    return f"{name}: {said}."
