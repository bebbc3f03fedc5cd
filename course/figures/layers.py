"""What layers hold: how well they keep classes apart, and how alike those of two networks are (CKA)."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap

from transferkit.errors import UsageError
from transferkit.figures.lines import End, label_ends
from transferkit.figures.picture import Picture, page
from transferkit.figures.style import BASE_LINE, INK, LARGE, LINE_WIDTH, SMALL_SIZE, label, round_ticks, tidy
from transferkit.figures.words import number

_LOOKS: tuple[dict[str, Any], ...] = (
    {"color": "#00527f", "marker": "o", "linestyle": "-"},
    {"color": "#a34700", "marker": "D", "linestyle": "-"},
    {"color": "#595959", "marker": "s", "linestyle": (0, (4, 2))},
    {"color": "#595959", "marker": "^", "linestyle": (0, (1, 1.4))},
)
_SHADES = LinearSegmentedColormap.from_list("unlike to alike", ["#ffffff", "#9ec9e6", "#0072b2", "#00263d"])


def separation(curves: Mapping[str, Sequence[float]], places: Sequence[str], guessing: float, title: str) -> Picture:
    """How well classes are kept apart over `places`: accuracies (0..1), a line per name of network and half.

    Dashed: `guessing` (0..1), the least that means anything. Raises UsageError when there is no line, or one with
    another number of values than places.
    """
    if not curves:
        raise UsageError("there is no line to draw: measure at least one network.")
    notes = (
        "Each validation image is given the class whose mean of training images is nearest, in the features of that "
        f"layer. Nothing is trained for it. Dashed: guessing, {100 * guessing:.1f} %.",
    )
    sentences = [f"Top-1 of the nearest class mean over {number(len(places), 'place')}, {places[0]} to {places[-1]}."]
    figure = page(4.2, title, notes)
    ax = figure.subplots()
    x = np.arange(len(places))
    ends: list[End | None] = []
    for (name, values), look in zip(curves.items(), cycle(_LOOKS), strict=False):
        if len(values) != len(places):
            raise UsageError(f"{name} has {len(values)} values for {len(places)} places: give one for each.")
        percent = 100 * np.asarray(values)
        best = int(np.argmax(percent))
        ax.plot(x, percent, gid=name, markersize=0.8 * LARGE, linewidth=LINE_WIDTH, **look)
        ends.append(End(len(places) - 0.8, float(percent[-1]), name, look["color"]))
        sentences.append(
            f"{name}: {percent[0]:.1f} % in {places[0]}, highest {percent[best]:.1f} % in {places[best]}, "
            f"{percent[-1]:.1f} % in {places[-1]}."
        )
    ax.axhline(100 * guessing, zorder=0, **BASE_LINE)
    highest = max(max(values) for values in curves.values())
    ax.set(xlim=(-0.4, len(places) + 1.9), ylim=(0, min(100, 115 * highest)))
    label_ends(ax, ends, 3.0)
    ax.set_xticks(x, places)
    ax.yaxis.set_major_locator(round_ticks())
    label(ax, y="Top-1 of the nearest class mean (%)")
    tidy(ax)
    return Picture(figure, " ".join([*sentences, f"Guessing: {100 * guessing:.1f} %."]))


def cka(tables: Mapping[str, pd.DataFrame], title: str = "How alike two networks see the same images") -> Picture:
    """A panel per comparison: the CKA (0..1) of each layer of one network with each of the other (Kornblith 2019).

    tables: from `cka.cka_table`, by the name of the comparison. Raises UsageError when there is none.
    """
    import seaborn as sns  # type: ignore[import-untyped] # here, as it takes half a second

    if not tables:
        raise UsageError("there is no comparison to draw: give a table from cka_table by its name.")
    rows = max(len(table) for table in tables.values())
    notes = (
        "Linear CKA of all units of a layer, on the same validation images: 1 where one layer is the other turned, "
        "mirrored or scaled as a whole, 0 where they have nothing in common.",
    )
    sentences = ["Tables of CKA, the likeness of layers, from 0 to 1."]
    figure = page(2.1 + 0.36 * rows, title, notes)
    for ax, (name, table) in zip(np.atleast_1d(figure.subplots(1, len(tables))), tables.items(), strict=True):
        words: dict[str, Any] = {"fontsize": SMALL_SIZE}
        sns.heatmap(table, ax=ax, cmap=_SHADES, vmin=0, vmax=1, cbar=False, annot=True, fmt=".2f", annot_kws=words)
        first, _, second = name.partition(" with ")
        label(ax, title=name)
        ax.set_xlabel(f"layer of {second or 'the second'}", color=INK, **words)
        ax.set_ylabel(f"layer of {first if second else 'the first'}", color=INK, **words)
        ax.set_xticks(ax.get_xticks(), table.columns, rotation=40, ha="right")
        ax.set_yticks(ax.get_yticks(), table.index, rotation=0)
        ax.tick_params(length=0, colors=INK, labelsize=SMALL_SIZE)
        own = [f"{layer} {table.loc[layer, layer]:.2f}" for layer in table.index if layer in table.columns]
        sentences.append(f"{name}: each layer with its own in the other network, {', '.join(own)}.")
    return Picture(figure, " ".join(sentences))
