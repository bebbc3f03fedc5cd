"""What to do with a new task: every option's gain over training from scratch, and which of them can be told apart."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from course.evidence.advice import Advice, advise, options_of
from transferkit.figures.picture import page
from transferkit.figures.style import BASE_LINE, INK, LARGE, SMALL, STYLES, TEXT_SIZE, dress
from transferkit.figures.words import listed
from transferkit.results import layers_of
from transferkit.treatments import Treatment, parse_run

_RING: Mapping[str, Any] = MappingProxyType(
    {"marker": "o", "color": INK, "linestyle": "none", "markersize": 15, "markerfacecolor": "none"}
)
_AS_GOOD: Mapping[str, Any] = MappingProxyType({"marker": "^", "color": INK, "linestyle": "none", "markersize": 5})
_KINDS: tuple[Treatment, ...] = ("AnB", "AnB+")


def draw_options(table: pd.DataFrame, data: str, title: str = "How many layers to copy, and freeze them?") -> Figure:
    """The mean gain of every option over n, in points; a ring around the best, a dot under those as good as it.

    `table` as of `results.tabulate`. Small markers are the splits or seeds. Raises DataError as `results.advise`.
    """
    options, advice = _percent(table), advise(table)
    entries = [
        *(Line2D([], [], label=STYLES[kind].meaning, **STYLES[kind].line(LARGE, joined=True)) for kind in _KINDS),
        Line2D([], [], label="best mean", **{**_RING, "markersize": 10}),
        Line2D([], [], label="as good, as far as one can tell", **_AS_GOOD),
    ]
    figure = page(4.4, title, _notes(options, advice, data), entries)
    ax = figure.subplots()
    ax.axhline(0, **BASE_LINE)
    for kind in _KINDS:
        _draw(ax, options, kind)
    places = {option: _place(option) for option in options.columns if option != "base"}
    if advice.choice in places:
        ax.plot(places[advice.choice], options[advice.choice].mean(), **_RING)
    low = ax.get_ylim()[0]
    for option in advice.as_good:
        ax.plot(places.get(option, 0), low, clip_on=False, **_AS_GOOD)
    ax.set_ylim(bottom=low)
    dress(ax, names=True, layers=layers_of(table))
    ax.set_ylabel("Gain over the base (points)", fontsize=TEXT_SIZE, color=INK)
    ax.set_xlabel("n: number of layers copied", fontsize=TEXT_SIZE, color=INK)
    return figure


def describe_options(table: pd.DataFrame, data: str) -> str:
    """Alternative text of the options; arguments and errors as for `draw_options`."""
    options, advice = _percent(table), advise(table)
    means = options.mean().sort_values(ascending=False)
    told = listed([f"{option} {mean:+z.1f}" for option, mean in means.items()])
    return f"Mean gain of every option over training from scratch, in points, from best to worst: {told}. " + " ".join(
        _notes(options, advice, data)
    )


def _draw(ax: Axes, options: pd.DataFrame, kind: Treatment) -> None:
    style = STYLES[kind]
    chosen = [option for option in options.columns if option != "base" and option.endswith("+") == kind.endswith("+")]
    for option in chosen:
        x = np.full(len(options), _place(option))
        ax.plot(x, options[option], alpha=0.6, **style.line(SMALL, joined=False))
    ax.plot([_place(option) for option in chosen], options[chosen].mean(), zorder=3, **style.line(LARGE, joined=True))


def _percent(table: pd.DataFrame) -> pd.DataFrame:
    options = 100 * options_of(table)
    return options.set_axis([str(option) for option in options.columns], axis=1)


def _place(option: str) -> float:
    run = parse_run(option, "random0", 0)
    return run.n + STYLES[run.treatment].offset - STYLES["AnB"].offset


def _notes(options: pd.DataFrame, advice: Advice, data: str) -> list[str]:
    low, high = (100 * bound for bound in advice.checked.interval())
    over = advice.checked.over
    others = [option for option in advice.as_good if option != advice.choice]
    told = f"As good as it, as far as {len(options)} {over} can tell: {listed(others)}" if others else (
        f"No other option is as good, by {len(options)} {over}"
    )  # fmt: skip
    return [
        f"Data {data}. Large markers: means; small ones: {over}. Best mean: {_in_words(advice.choice)}, "
        f"{100 * advice.gain:+z.1f} points. {told}; the cheapest to train of these is {_in_words(advice.cheapest)}. "
        f"Chosen without the {over[:-1]} it is measured on, the choice gains {100 * advice.checked.value:+z.1f} points "
        f"(95 % interval {low:+z.1f} to {high:+z.1f}).",
    ]


def _in_words(option: str) -> str:
    if option == "base":
        return "training from scratch"
    run = parse_run(option, "random0", 0)
    return f"n = {run.n}, {'fine-tuned' if run.finetune else 'frozen'}"
