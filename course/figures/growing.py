"""Figure 2 while it grows: the learner's networks, kept ones of this project lightly underneath, and the prediction."""

import re
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from course.figures.labelled import with_labels
from course.figures.looks import HOLLOW
from course.lesson.prediction import Prediction
from transferkit.figures import FIGURE2, figure2, plot_means, plot_networks
from transferkit.figures.lines import base_mean, dress_differences, paired_line, place_networks, treatments_in
from transferkit.figures.picture import Picture, page
from transferkit.figures.style import LARGE, LINE_WIDTH, SMALL, STYLES, key
from transferkit.figures.words import trends
from transferkit.results import layers_of, summarise

KEPT = "#6a3d9a"  # violet: of this project, not of the learner
_LIGHT: dict[str, Any] = {"color": KEPT, "markeredgecolor": KEPT, "alpha": 0.45, "zorder": 1.6}


def growing(table: pd.DataFrame, data: str | None = None, prediction: Prediction | None = None) -> Picture:
    """Figure 2 of the rows of `table` whose column `whose` says "yours", with those that say "kept" in light violet.

    A prediction over places such as "n = 3" lies below as hollow squares. Without kept rows it is `figure2` of the
    table. Either has labels to hover. Raises UsageError for a table without networks.
    """
    table = table[table["treatment"].isin(list(FIGURE2))]
    kept = table[table["whose"] == "kept"] if "whose" in table else table[:0]
    if kept.empty:
        return with_labels(figure2(table, data), table)
    own, guess = table[table["whose"] == "yours"], _over_n(prediction)
    count = "1 network here is yours" if len(own) == 1 else f"{len(own)} networks here are yours"
    notes = [f"{count}; violet: kept networks of this project, with the lines of their means. {_said(guess)}".strip()]
    entries = key(treatments_in(table), base_mean(own)) + _entries(guess)
    figure = page(7.3, f"How transferable are the features? So far {count}", notes, entries, rows=3)
    above, below = figure.subplots(2, 1, height_ratios=(1, 1.05))
    _plot_kept(above, below, kept)
    plot_networks(above, own)
    if guess:
        below.plot(list(guess), list(guess.values()), gid="prediction", zorder=2, markersize=LARGE, **HOLLOW)
    if own["paired"].notna().any() and (own["n"] > 0).any():
        plot_means(below, own)
    else:
        dress_differences(below, layers_of(table))
    words = [f"Above, accuracy over n, the layers copied; below, means against base. So far {count}."]
    words += [*trends(own, FIGURE2), "Kept networks.", *trends(kept, FIGURE2), _said(guess)]
    return with_labels(Picture(figure, " ".join(word for word in words if word)), table)


def _plot_kept(above: Axes, below: Axes, kept: pd.DataFrame) -> None:
    """Their markers above and the lines of their means below, each with its treatment's marker in light violet."""
    summary, layers = summarise(kept[kept["paired"].notna()]), layers_of(kept)
    for treatment in FIGURE2:
        chosen, look = kept[kept["treatment"] == treatment], STYLES[treatment].line(SMALL, joined=True)
        hollow = look | {"markerfacecolor": "white"} | _LIGHT
        above.plot(place_networks(chosen), 100 * chosen["top1"], gid=f"kept {treatment}", **hollow | {"linestyle": ""})
        line = paired_line(summary, treatment, 0.0, layers)
        if treatment != "base" and np.isfinite(line.mean[1:]).any():
            there = np.isfinite(line.mean)
            below.plot(line.x[there], line.mean[there], gid=f"kept {treatment}", markevery=slice(1, None), **hollow)


def _over_n(prediction: Prediction | None) -> dict[int, float]:
    """What was predicted by n; nothing unless every place is an n."""
    if prediction is None or not prediction.made:
        return {}
    found = [re.fullmatch(r"n ?= ?(\d+)", place) for place in prediction.question.places]
    if not all(found):
        return {}
    return {int(match[1]): value for match, value in zip(found, prediction.values, strict=True) if match}


def _entries(guess: dict[int, float]) -> list[Line2D]:
    kept = Line2D(
        [], [], marker="o", linewidth=LINE_WIDTH, label="kept networks", **_LIGHT | {"markerfacecolor": "white"}
    )
    return [kept, *[Line2D([], [], label="what you expect", markersize=LARGE, **HOLLOW)] * bool(guess)]


def _said(guess: dict[int, float]) -> str:
    if not guess:
        return ""
    return f"Expected: {', '.join(f'{value:+g} at n = {n}' for n, value in guess.items())}."
