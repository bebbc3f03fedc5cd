"""How well classes are kept apart in the pixels and after each layer, one line per network and half."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from transferkit.errors import UsageError
from transferkit.figures.lines import End, label_ends
from transferkit.figures.picture import page
from transferkit.figures.style import BASE_LINE, INK, LARGE, LINE_WIDTH, SMALL_SIZE, TEXT_SIZE, round_ticks
from transferkit.figures.words import number

_LOOKS: tuple[dict[str, Any], ...] = (
    {"color": "#00527f", "marker": "o", "linestyle": "-"},
    {"color": "#a34700", "marker": "D", "linestyle": "-"},
    {"color": "#595959", "marker": "s", "linestyle": (0, (4, 2))},
    {"color": "#595959", "marker": "^", "linestyle": (0, (1, 1.4))},
)


def draw_separation(
    curves: Mapping[str, Sequence[float]], places: Sequence[str], guessing: float, title: str
) -> Figure:
    """Accuracies (0..1) over `places`, a line per name; dashed, `guessing` (0..1), the least that means anything.

    Raises UsageError when there is no line, or one with another number of values.
    """
    _check(curves, places)
    notes = (
        "Each validation image is given the class whose mean of training images is nearest, in the features of that "
        f"layer. Nothing is trained for it. Dashed: guessing, {100 * guessing:.1f} %.",
    )
    figure = page(4.2, title, notes)
    ax = figure.subplots()
    x = np.arange(len(places))
    ends: list[End | None] = []
    for (name, values), look in zip(curves.items(), cycle(_LOOKS), strict=False):
        percent = 100 * np.asarray(values)
        ax.plot(x, percent, gid=name, markersize=0.8 * LARGE, linewidth=LINE_WIDTH, **look)
        ends.append(End(len(places) - 0.8, float(percent[-1]), name, look["color"]))
    ax.axhline(100 * guessing, zorder=0, **BASE_LINE)
    highest = max(max(values) for values in curves.values())
    ax.set(xlim=(-0.4, len(places) + 1.9), ylim=(0, min(100, 115 * highest)))
    label_ends(ax, ends, 3.0)
    ax.set_xticks(x, places)
    ax.yaxis.set_major_locator(round_ticks())
    ax.set_ylabel("Top-1 of the nearest class mean (%)", fontsize=TEXT_SIZE, color=INK)
    ax.tick_params(labelsize=SMALL_SIZE, colors=INK, length=3, width=0.8)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return figure


def describe_separation(curves: Mapping[str, Sequence[float]], places: Sequence[str], guessing: float) -> str:
    """Alternative text of `draw_separation`: where each line begins, where it is highest and where it ends."""
    _check(curves, places)
    told = [f"Top-1 of the nearest class mean over {number(len(places), 'place')}, {places[0]} to {places[-1]}."]
    for name, values in curves.items():
        best = int(np.argmax(values))
        told.append(
            f"{name}: {100 * values[0]:.1f} % in {places[0]}, highest {100 * values[best]:.1f} % in {places[best]}, "
            f"{100 * values[-1]:.1f} % in {places[-1]}."
        )
    return " ".join([*told, f"Guessing: {100 * guessing:.1f} %."])


def _check(curves: Mapping[str, Sequence[float]], places: Sequence[str]) -> None:
    if not curves:
        raise UsageError("there is no line to draw: measure at least one network.")
    for name, values in curves.items():
        if len(values) != len(places):
            raise UsageError(f"{name} has {len(values)} values for {len(places)} places: give one for each.")
