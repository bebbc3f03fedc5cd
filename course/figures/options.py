"""What to do with a new task: every option's gain over training from scratch, and which of them can be told apart."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from course.evidence.advice import Advice, advise, options_of
from transferkit.figures.picture import Picture, page
from transferkit.figures.style import BASE_LINE, INK, LARGE, SMALL, STYLES, dress, label
from transferkit.figures.words import listed
from transferkit.results import layers_of
from transferkit.treatments import Treatment, parse_run

_RING: Mapping[str, Any] = MappingProxyType(
    {"marker": "o", "color": INK, "linestyle": "none", "markersize": 15, "markerfacecolor": "none"}
)
_AS_GOOD: Mapping[str, Any] = MappingProxyType({"marker": "^", "color": INK, "linestyle": "none", "markersize": 5})
_KINDS: tuple[Treatment, ...] = ("AnB", "AnB+")


def options(table: pd.DataFrame, data: str, title: str = "How many layers to copy, and freeze them?") -> Picture:
    """The mean gain of every option over n, in points; a ring around the best, a mark under those as good as it.

    `table` comes from `results.tabulate`. Small markers are the splits or seeds. Raises DataError as `advice.advise`.
    """
    gains, advice = 100 * options_of(table), advise(table)
    gains = gains.set_axis([str(option) for option in gains.columns], axis=1)
    note = _note(gains, advice, data)
    entries = [
        *(Line2D([], [], label=STYLES[kind].meaning, **STYLES[kind].line(LARGE, joined=True)) for kind in _KINDS),
        Line2D([], [], label="best mean", **{**_RING, "markersize": 10}),
        Line2D([], [], label="as good, as far as one can tell", **_AS_GOOD),
    ]
    figure = page(4.4, title, [note], entries)
    ax = figure.subplots()
    ax.axhline(0, **BASE_LINE)
    for kind in _KINDS:
        _draw(ax, gains, kind)
    places = {option: _place(option) for option in gains.columns if option != "base"}
    if advice.choice in places:
        ax.plot(places[advice.choice], gains[advice.choice].mean(), **_RING)
    low = ax.get_ylim()[0]
    for option in advice.as_good:
        ax.plot(places.get(option, 0), low, clip_on=False, **_AS_GOOD)
    ax.set_ylim(bottom=low)
    dress(ax, names=True, layers=layers_of(table))
    label(ax, "n: number of layers copied", "Gain over the base (points)")
    opening = "Mean gain of every option over training from scratch, in points, from best to worst"
    means = listed([f"{option} {mean:+z.1f}" for option, mean in gains.mean().sort_values(ascending=False).items()])
    return Picture(figure, f"{opening}: {means}. {note}")


def _draw(ax: Axes, gains: pd.DataFrame, kind: Treatment) -> None:
    style = STYLES[kind]
    chosen = [option for option in gains.columns if option != "base" and option.endswith("+") == kind.endswith("+")]
    for option in chosen:
        x = np.full(len(gains), _place(option))
        ax.plot(x, gains[option], alpha=0.6, **style.line(SMALL, joined=False))
    ax.plot([_place(option) for option in chosen], gains[chosen].mean(), zorder=3, **style.line(LARGE, joined=True))


def _place(option: str) -> float:
    run = parse_run(option, "random0", 0)
    return run.n + STYLES[run.treatment].offset - STYLES["AnB"].offset


def _note(gains: pd.DataFrame, advice: Advice, data: str) -> str:
    low, high = (100 * bound for bound in advice.checked.interval())
    over = advice.checked.over
    others = [option for option in advice.as_good if option != advice.choice]
    rivals = f"As good as it, as far as {len(gains)} {over} can tell: {listed(others)}" if others else (
        f"No other option is as good, by {len(gains)} {over}"
    )  # fmt: skip
    return (
        f"Data {data}. Large markers: means; small ones: {over}. Best mean: {_in_words(advice.choice)}, "
        f"{100 * advice.gain:+z.1f} points. {rivals}; the cheapest to train of these is {_in_words(advice.cheapest)}. "
        f"Chosen without the {over[:-1]} it is measured on, the choice gains {100 * advice.checked.value:+z.1f} points "
        f"(95 % interval {low:+z.1f} to {high:+z.1f})."
    )


def _in_words(option: str) -> str:
    if option == "base":
        return "training from scratch"
    run = parse_run(option, "random0", 0)
    return f"n = {run.n}, {'fine-tuned' if run.finetune else 'frozen'}"
