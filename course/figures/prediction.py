"""A prediction laid over what came out: what was expected, the result, and the gap between them at every place."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from course.figures.looks import FULL, HOLLOW
from course.lesson.prediction import Prediction, is_whole, score, verdict
from transferkit.figures.picture import Picture, page
from transferkit.figures.style import BASE_LINE, EDGE_WIDTH, LARGE, LEGEND, QUIET, label, round_ticks, tidy
from transferkit.figures.words import listed


def prediction(prediction: Prediction, actual: Sequence[float] | None = None, late: str = "") -> Picture:
    """The prediction over its places and, once it is known, what came out, with the gaps between.

    actual: one value per place, in the question's unit, NaN for places without a result yet; None before any. `late`
    says that it was set after the training, if it was. A prediction that nobody made is not drawn beside a result.
    Raises UsageError for another number of values.
    """
    asked = prediction.question
    known, notes = actual is not None, [_found(prediction, actual), late]
    figure = page(3.66 + 0.16 * bool(late), asked.title, [note for note in notes if note])
    ax = figure.subplots()
    x = np.arange(len(asked.places))
    joined: dict[str, Any] = {"markersize": LARGE} | ({} if asked.ordered else {"linestyle": "none"})
    full, dashed = (", full line", ", dashed line") if asked.ordered else ("", "")
    if actual is not None:
        if prediction.made:
            ax.vlines(x, prediction.values, actual, color=QUIET, linewidth=EDGE_WIDTH, linestyle=":", zorder=1)
        ax.plot(x, actual, zorder=4, gid="result", label=f"what came out: filled circles{full}", **{**FULL, **joined})
    if prediction.made:  # sliders that nobody moved say nothing
        said = "what you expected" if known else "what you expect"
        words = f"{said}: hollow squares{dashed}"
        ax.plot(x, prediction.values, zorder=3, gid="prediction", label=words, **{**HOLLOW, **joined})
    ax.axhline(asked.naive, zorder=0, **BASE_LINE)
    ax.set_xticks(x, asked.places)
    ax.set_xlim(-0.5, len(asked.places) - 0.5)
    if not known:  # the whole range of the sliders
        margin = 0.04 * (asked.high - asked.low)
        ax.set_ylim(asked.low - margin, asked.high + margin)
    ax.yaxis.set_major_locator(round_ticks())
    label(ax, y=f"{asked.measure} ({asked.unit})")
    tidy(ax)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="lower left", bbox_to_anchor=(-0.01, 1), ncols=2, **LEGEND)
    return Picture(figure, f"{in_words(prediction, actual)} {late}".strip())


def in_words(prediction: Prediction, actual: Sequence[float] | None = None) -> str:
    """Every value, and with the result the widest gap and the score."""
    asked = prediction.question
    title = asked.title if asked.title.endswith("?") else f"{asked.title}."
    if actual is None:
        said = "Expected" if prediction.made else "Nothing set yet, the sliders stand at"
        return f"{title} {said}, in {asked.unit}: {_values(prediction, prediction.values)}."
    if not prediction.made:
        return f"{title} In {asked.unit}, what came out: {_values(prediction, actual)}. {_found(prediction, actual)}"
    if not is_whole(actual):
        values = _values(prediction, prediction.values, actual)
        return f"{title} In {asked.unit}, expected and what came out so far: {values}. {_found(prediction, actual)}"
    worst = int(np.argmax(np.abs(np.subtract(prediction.values, actual))))
    gap = f"The widest gap is at {asked.places[worst]}. " if score(prediction, actual).error else ""
    values = _values(prediction, prediction.values, actual)
    return f"{title} In {asked.unit}, expected and what came out: {values}. {gap}{verdict(prediction, actual)}"


def _found(prediction: Prediction, actual: Sequence[float] | None) -> str:
    """The verdict; before there is one, what the picture shows."""
    if actual is None:
        return _note(prediction)
    if not is_whole(actual):
        there = sum(math.isfinite(value) for value in actual)
        return f"{there} of {len(actual)} places have a result so far."
    return verdict(prediction, actual)


def _values(prediction: Prediction, *rows: Sequence[float]) -> str:
    columns = zip(prediction.question.places, *rows, strict=True)
    return listed([f"{place} {' and '.join(map(_number, values))}" for place, *values in columns])


def _number(value: float) -> str:
    return f"{round(value, 1):g}" if math.isfinite(value) else "not yet"


def _note(prediction: Prediction) -> str:
    naive = f"Dashed: {prediction.question.naive:g}, what somebody says who knows nothing."
    if not prediction.made:
        return f"Nothing is set yet: move the sliders. {naive}"
    return f"Kept; set on {prediction.when.replace('T', ' ').removesuffix('+00:00')} UTC. {naive}"
