"""Random filters drawn in two ways, to tell bad features from filters whose scale keeps a network from training."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from course.figures.losses import plot_guessing
from transferkit.errors import UsageError
from transferkit.figures.lines import spread
from transferkit.figures.picture import Picture, page
from transferkit.figures.style import BASE_LINE, LARGE, SMALL, STYLES, dress, label
from transferkit.figures.words import CROSSED, caption, listed, on_plateau, plateau_note
from transferkit.results import layers_of

_HE = STYLES["RnB"].line(LARGE, joined=True)
_LOOKS: Mapping[str, dict[str, Any]] = MappingProxyType(
    {"he": _HE, "published": _HE | {"markerfacecolor": "#ffffff", "color": "#8a6a00", "linestyle": ":"}}
)
_SPREAD = 0.36  # to either side of n, chop points: so that networks of the same accuracy do not merge into a chain
_SINGLE: Mapping[str, Any] = MappingProxyType(
    {"markersize": 4.5, "markeredgewidth": 0.8, "zorder": 6}
)  # points; above the name of guessing
_NAMES: Mapping[str, str] = MappingProxyType(
    {"he": "drawn at full scale (He et al. 2015)", "published": "drawn as published (small Gaussian)"}
)


def scaling(
    table: pd.DataFrame, data: str, title: str = "Bad features, or badly scaled?", *, classes: int | None = None
) -> Picture:
    """Top-1 and training loss of RnB over n, for each way in which the random filters were drawn.

    `table`: rows from `results.tabulate` with `random_filters`, "he" or "published". `classes` of a half marks the
    loss of guessing and the networks that never left it. Raises UsageError without RnB of either kind.
    """
    rows, bases = _select(table), table[table["treatment"] == "base"]
    # chop points are told apart by how filters were drawn, as the networks behind a point are of one kind
    apart = rows.assign(n=rows["n"] + 100 * (rows["random_filters"] == "he"))
    said, stuck = f"{caption(apart, data, ('RnB',))}.", plateau_note(rows, classes)
    notes = [f"{said} Lines are means; small markers: single networks.", stuck]
    entries = [Line2D([], [], label=_NAMES[kind], **look) for kind, look in _LOOKS.items()]
    figure = page(3.6 + 0.16 * len(notes), title, notes, entries)
    panels = figure.subplots(1, 2)
    for ax, measure, scale in zip(panels, ("top1", "train_loss"), (100, 1), strict=True):
        _draw(ax, rows.assign(value=scale * rows[measure]), classes)
        if len(bases):
            ax.axhline(scale * bases[measure].mean(), zorder=1, **BASE_LINE)
    if on_plateau(rows, classes).any():
        plot_guessing(panels[1], classes)
    label(panels[0], "n: number of random layers", "Validation top-1 accuracy (%)")
    label(panels[1], "n: number of random layers", "Training loss (nats)")
    sentences = ["Top-1 and training loss of networks on random filters over n, by how the filters were drawn.", said]
    for kind, name in _NAMES.items():
        means = 100 * rows[rows["random_filters"] == kind].groupby("n")["top1"].mean()
        if len(means):
            sentences.append(f"{name}: {listed([f'{top1:.1f} % at n = {n}' for n, top1 in means.items()])}.")
    return Picture(figure, " ".join(filter(None, [*sentences, stuck])))


def _select(table: pd.DataFrame) -> pd.DataFrame:
    if "random_filters" not in table:
        raise UsageError("the table has no column random_filters: run the study 'plateau' of the evidence.")
    rows = table[(table["treatment"] == "RnB") & table["random_filters"].isin(list(_LOOKS))]
    if rows.empty:
        raise UsageError("the table has no networks on random filters: train some R3B and the like first.")
    return rows


def _draw(ax: Axes, rows: pd.DataFrame, classes: int | None) -> None:
    for kind, look in _LOOKS.items():
        chosen = rows[rows["random_filters"] == kind]
        x = chosen["n"] + spread(chosen, _SPREAD)
        failed = on_plateau(chosen, classes)
        single = look | {"linestyle": "none", "markersize": SMALL - 1}
        ax.plot(x[~failed], chosen.loc[~failed, "value"], gid=f"{kind} networks", **single)
        means = chosen.groupby("n")["value"].mean()
        ax.plot(means.index, means, gid=kind, zorder=3, **look)
        ax.plot(x[failed], chosen.loc[failed, "value"], **{**CROSSED, **_SINGLE})
    dress(ax, names=False, layers=layers_of(rows))
    ax.set_xlim(left=0.4)
    ax.margins(y=0.12)
