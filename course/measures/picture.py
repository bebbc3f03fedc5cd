"""Two figures: the curve of AnB that two bases let expect, and what training found against what measures said."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from course.measures.expect import Rule, expected_curve, kept_rule
from course.measures.names import NET
from transferkit.figures.lines import dress_differences
from transferkit.figures.picture import Picture, page
from transferkit.figures.style import LARGE, STYLES
from transferkit.figures.words import listed, number
from transferkit.training.study import Study

_BAND = "#fbd0ae"


def predict_curve(study: Study, split: str = "random0", seeds: Sequence[int] = (0,)) -> Picture:
    """The curve of AnB over n that the bases of a split let expect, and over it the means of what is trained already.

    The bases must be trained; nothing else need be. Raises as `expected_curve`, which gives the same as numbers.

    >>> tk.predict_curve(study).alt[:52]
    'The paired differences of AnB over n that the bases '
    """
    rule = kept_rule(study.setting.data, split)
    return draw_curve(expected_curve(study, split, seeds, rule), rule, study, split)


def draw_curve(table: pd.DataFrame, rule: Rule, study: Study, split: str) -> Picture:
    """The figure of a table from `expected_curve`."""
    layers, look = study.setting.net.layers, STYLES["AnB"]
    trained = table[table["networks"] > 0]
    notes = [_basis(rule, study.setting.data), *_strange(rule, study)]
    entries = [
        Line2D([], [], label="expected from the bases", **_expected_look()),
        Patch(facecolor=_BAND, edgecolor="none", alpha=0.6, label="95 % interval for a further split"),
    ]
    if len(trained):
        entries.append(Line2D([], [], label="trained", **look.line(LARGE, joined=False)))
    title = f"AnB as the bases let expect: {study.setting.data}, {split}"
    figure = page(3.9 + 0.16 * len(notes), title, notes, entries)
    ax = figure.subplots()
    _draw(ax, table)
    ax.plot(trained["n"], 100 * trained["trained"], gid="trained", zorder=5, **look.line(LARGE, joined=False))
    dress_differences(ax, layers)
    return Picture(figure, " ".join([*_in_words(table, study, split), *notes]))


def _expected_look() -> dict[str, Any]:
    look = STYLES["AnB"].line(LARGE, joined=True)
    return look | {"markerfacecolor": "white", "linestyle": (0, (4, 2))}


def _draw(ax: Axes, table: pd.DataFrame) -> None:
    n = np.concatenate([[0], table["n"]])
    low, high, expected = (np.concatenate([[0], 100 * table[name]]) for name in ("low", "high", "expected"))
    ax.fill_between(n, low, high, color=_BAND, alpha=0.6, linewidth=0, zorder=1)
    ax.plot(n, expected, markevery=slice(1, None), gid="expected", zorder=3, **_expected_look())


def _basis(rule: Rule, data: str) -> str:
    tried = "of its splits" if data == rule.data else "splits of another data set"
    return (
        f"Expected: a line in the top-1 of a linear probe on the source's layer n less that on the own base's, fitted "
        f"on {rule.cells} networks of {rule.splits} random splits of {rule.data}. Interval: from its errors on "
        f"{rule.reach(data).splits} {tried}, each held out."
    )


def _strange(rule: Rule, study: Study) -> list[str]:
    """A warning where the rule was not tried on anything like this study."""
    here, net = (study.setting.data, study.setting.recipe.epochs), study.setting.net.name
    strange = [_trained(*here)] * (here not in rule.tried) + [f"the network {net}"] * (net != NET)
    known = listed([_trained(data, epochs) for data, epochs in sorted(rule.tried)])
    return [f"Tried on {known} and the network {NET}, not on {listed(strange)}: a guess."] if strange else []


def _trained(data: str, epochs: int) -> str:
    return f"{data} after {epochs} epochs"


def _in_words(table: pd.DataFrame, study: Study, split: str) -> list[str]:
    parts = [
        f"n = {row['n']}: {100 * row['expected']:+.1f} ({100 * row['low']:+.1f} to {100 * row['high']:+.1f})"
        + (f", trained {100 * row['trained']:+.1f}" if row["networks"] else "")
        for row in table.to_dict("records")
    ]
    opening = f"The paired differences of AnB over n that the bases of {study.setting.data}, {split}, let expect"
    count = int(table["networks"].sum())
    verb = "is" if count == 1 else "are"
    there = f"{number(count, 'network')} of AnB {verb} trained." if count else "No AnB is trained yet."
    return [f"{opening}, in points (95 % interval): {'; '.join(parts)}.", there]
