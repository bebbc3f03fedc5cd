"""Transfer between similar and dissimilar halves and random filters, relative to base: Figure 3, bottom."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from transferkit.figures.lines import Line, draw_line, end_of, label_ends, paired_line
from transferkit.figures.style import (
    BASE_LINE,
    INK,
    LARGE,
    ON_LINES,
    QUIET,
    SMALL_SIZE,
    STYLES,
    TEXT_SIZE,
    dress,
    faint,
)
from transferkit.results import layers_of, summarise
from transferkit.treatments import Treatment

SIMILAR_ANB, DISSIMILAR_ANB, RANDOM_RNB = "AnB, similar halves", "AnB, dissimilar halves", "RnB, random filters"
APART_ANB = "AnB, same kinds but no common photograph"
FAR = "#7a4a00"
_APART = "#8a5a9e"
_ANB, _RNB = (STYLES[name].line(LARGE, joined=True) for name in ("AnB", "RnB"))
_HOLLOW = {"markerfacecolor": "#ffffff", "markeredgecolor": FAR, "color": FAR, "linestyle": "--"}
_SQUARE = {"marker": "s", "markersize": 5.5, "markeredgecolor": _APART, "color": _APART, "linestyle": "-."}
LOOKS: Mapping[str, dict[str, Any]] = {
    SIMILAR_ANB: _ANB,
    APART_ANB: _ANB | _SQUARE | {"markerfacecolor": "#ffffff"},
    DISSIMILAR_ANB: _ANB | _HOLLOW,
    RANDOM_RNB: _RNB,
}
ENDS: Mapping[str, str] = {
    SIMILAR_ANB: "similar", APART_ANB: "apart", DISSIMILAR_ANB: "dissimilar", RANDOM_RNB: "random"
}  # fmt: skip
_ROOM = 0.35  # of the fall of AnB: so far the axis reaches below it, and no further
_RIGHT = 0.6  # chop points beyond the last layer: the names at the ends of the lines need room


def summary_of(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """As `results.summarise`, of the treatment that the part `name` is about."""
    summary = summarise(rows)
    return summary[summary["treatment"] == _treatment(name)]


def draw_relative(ax: Axes, parts: Mapping[str, pd.DataFrame], authors: Mapping[str, pd.DataFrame]) -> None:
    """Draw the mean paired difference of each part, and the authors' dotted underneath.

    The parts are tables by their names, keys of LOOKS. The axis follows AnB; random filters may leave it, as in
    the paper, which is written where they do.
    """
    lines, ends, layers = {}, [], layers_of(next(iter(parts.values())))
    for place, (name, rows) in enumerate(parts.items()):
        lines[name] = paired_line(summary_of(rows, name), _treatment(name), 0.06 * (place - 1), layers)
        draw_line(ax, lines[name], LOOKS[name], name)
    for name, rows in authors.items():
        line = paired_line(summary_of(rows, name), _treatment(name))
        look = faint(STYLES[_treatment(name)]) | {"color": LOOKS[name]["color"]}
        ax.plot(line.x, line.mean, gid=f"authors {name}", zorder=1.5, **look)
        ends += [end_of(line, 0.2, f"authors: {ENDS[name]}", QUIET)]
    dress(ax, names=True, layers=layers)
    ax.set_xlim(right=len(layers) + _RIGHT)
    ax.plot([0], [0], zorder=4, **STYLES["base"].line(LARGE, joined=False))
    ax.plot([ax.get_xlim()[0], len(layers) - 0.87], [0, 0], zorder=1, **BASE_LINE)
    gone = _limit(ax, lines)
    ends += [end_of(line, 0.2, ENDS[name], LOOKS[name]["color"]) for name, line in lines.items()]
    floor = ax.get_ylim()[0]
    label_ends(ax, [end for end in ends if end is not None and end.y >= floor], 2.4)
    for name, last in gone.items():
        above_axis = floor + 0.025 * (ax.get_ylim()[1] - floor)
        ax.text(last, above_axis, f" {ENDS[name]}, below", fontsize=SMALL_SIZE, color=QUIET, va="bottom", **ON_LINES)
    ax.set_xlabel(f"n: number of layers copied, {layers[0]} up to the one named", fontsize=TEXT_SIZE, color=INK)
    ax.set_ylabel("Paired difference to base (points)", fontsize=TEXT_SIZE, color=INK)


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
