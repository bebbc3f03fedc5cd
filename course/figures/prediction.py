"""A prediction laid over what came out: what was expected, the result, and the gap between them at every place."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course.lesson.prediction import Prediction, score, verdict
from transferkit.figures.picture import page
from transferkit.figures.style import (
    BASE_LINE,
    EDGE_WIDTH,
    INK,
    LARGE,
    LINE_WIDTH,
    QUIET,
    SMALL_SIZE,
    TEXT_SIZE,
    round_ticks,
)
from transferkit.figures.words import listed

_SAID: dict[str, Any] = {
    "color": "#00527f", "linestyle": (0, (4, 2)), "marker": "s", "markersize": LARGE, "markerfacecolor": "white",
    "linewidth": LINE_WIDTH,
}  # fmt: skip
_CAME: dict[str, Any] = {
    "color": "#a34700",
    "linestyle": "-",
    "marker": "o",
    "markersize": LARGE,
    "linewidth": LINE_WIDTH,
}


def draw_prediction(prediction: Prediction, actual: Sequence[float] | None = None) -> Figure:
    """The prediction over its places, and once it is known what came out, with the gaps between; 7 inches wide.

    actual: one value per place, in the question's unit; None before the result. Raises UsageError for another number.
    """
    asked = prediction.question
    notes = [_note(prediction)] if actual is None else [verdict(prediction, actual)]
    figure = page(3.5 + 0.16 * len(notes), asked.title, notes)
    ax = figure.subplots()
    x = np.arange(len(asked.places))
    full, dashed, came, expected = ", full line", ", dashed line", _CAME, _SAID
    if not asked.ordered:
        full, dashed, came, expected = "", "", _CAME | {"linestyle": "none"}, _SAID | {"linestyle": "none"}
    if actual is not None:
        ax.vlines(x, prediction.values, actual, color=QUIET, linewidth=EDGE_WIDTH, linestyle=":", zorder=1)
        ax.plot(x, actual, zorder=4, gid="result", label=f"what came out: filled circles{full}", **came)
    said = "what you expect" if actual is None else "what you expected"
    said = said if prediction.made else "nothing was set" if actual is not None else "nothing set yet"
    ax.plot(x, prediction.values, zorder=3, gid="prediction", label=f"{said}: hollow squares{dashed}", **expected)
    ax.axhline(asked.naive, zorder=0, **BASE_LINE)
    _dress(ax, prediction, whole=actual is None)
    return figure


def describe_prediction(prediction: Prediction, actual: Sequence[float] | None = None) -> str:
    """Alternative text of `draw_prediction`: every value, and with the result the score; errors as there."""
    asked = prediction.question
    title = asked.title if asked.title.endswith("?") else f"{asked.title}."
    said = "Expected" if prediction.made else "Nothing set yet, the sliders stand at"
    if actual is None:
        return f"{title} {said}, in {asked.unit}: {_values(prediction, prediction.values)}."
    found = score(prediction, actual)
    worst = int(np.argmax(np.abs(np.subtract(prediction.values, actual))))
    gap = f"The widest gap is at {asked.places[worst]}. " if found.error else ""
    return (
        f"{title} In {asked.unit}, expected and what came out: "
        f"{_values(prediction, prediction.values, actual)}. {gap}{verdict(prediction, actual)}"
    )


def _values(prediction: Prediction, *rows: Sequence[float]) -> str:
    columns = zip(prediction.question.places, *rows, strict=True)
    return listed([f"{place} {' and '.join(f'{round(value, 1):g}' for value in values)}" for place, *values in columns])


def _note(prediction: Prediction) -> str:
    naive = f"Dashed: {prediction.question.naive:g}, what somebody says who knows nothing."
    if not prediction.made:
        return f"Nothing is set yet: move the sliders. {naive}"
    return f"Kept; set on {prediction.when.replace('T', ' ').removesuffix('+00:00')} UTC. {naive}"


def _dress(ax: Axes, prediction: Prediction, *, whole: bool) -> None:
    """Ticks, names and legend; the `whole` range of the sliders or only what is drawn."""
    asked = prediction.question
    ax.set_xticks(range(len(asked.places)), asked.places)
    ax.set_xlim(-0.5, len(asked.places) - 0.5)
    if whole:
        margin = 0.04 * (asked.high - asked.low)
        ax.set_ylim(asked.low - margin, asked.high + margin)
    ax.yaxis.set_major_locator(round_ticks())
    ax.set_ylabel(f"{asked.measure} ({asked.unit})", fontsize=TEXT_SIZE, color=INK)
    ax.tick_params(labelsize=SMALL_SIZE, colors=INK, length=3, width=0.8)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=2, fontsize=SMALL_SIZE, labelcolor=INK, frameon=False)
