"""Networks of different depths on one axis: the share of their layers that is copied."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from transferkit.errors import UsageError
from transferkit.figures.lines import base_mean, select
from transferkit.figures.picture import page
from transferkit.figures.style import BASE_LINE, INK, LARGE, SMALL_SIZE, STYLES, TEXT_SIZE, round_ticks
from transferkit.figures.words import caption, trends
from transferkit.results import layers_of, summarise
from transferkit.treatments import Treatment

SHOWN: tuple[Treatment, ...] = ("BnB", "AnB")


def draw_depths(
    tables: Mapping[str, pd.DataFrame], data: str, title: str = "The same question to other networks"
) -> Figure:
    """A panel per network, side by side: mean paired differences of BnB and AnB over the share of layers copied.

    tables: by the network's name, as of `results.tabulate`. The layers' names stand at their shares. Raises
    UsageError when there is no table, or one without networks.
    """
    _check(tables)
    notes = [
        f"{name}: {caption(own, data, SHOWN)}; bases {100 * base_mean(own):.1f} %." for name, own in tables.items()
    ]
    notes.append("Dashed: a network's own base. Lines are means over the networks of a point.")
    figure = page(3.1 + 0.16 * len(notes), title, notes)
    for ax, (name, table) in zip(
        np.atleast_1d(figure.subplots(1, len(tables), sharey=True)), tables.items(), strict=True
    ):
        _draw(ax, table)
        ax.set_title(name, loc="left", fontsize=TEXT_SIZE, color=INK)
    figure.axes[0].set_ylabel("Paired difference to base (points)", fontsize=TEXT_SIZE, color=INK)
    return figure


def describe_depths(tables: Mapping[str, pd.DataFrame], data: str) -> str:
    """Alternative text of the networks side by side; arguments and errors as for `draw_depths`."""
    _check(tables)
    told = []
    for name, table in tables.items():
        said = f"{name}, layers {', '.join(layers_of(table))}: {caption(table, data, SHOWN)}."
        told.append(" ".join([said, *trends(table, SHOWN)]))
    return " ".join(["Frozen selffer and transferred layers against base, a panel per network.", *told])


def _draw(ax: Axes, table: pd.DataFrame) -> None:
    layers = layers_of(table)
    summary = summarise(table[table["paired"].notna()])
    last = len(layers) - 1
    for treatment in SHOWN:
        chosen = summary[summary["treatment"] == treatment]
        x = np.append(0, chosen["n"] / last)
        look: dict[str, Any] = STYLES[treatment].line(LARGE, joined=True)
        ax.plot(x, np.append(0, 100 * chosen["paired"]), gid=treatment, label=treatment, zorder=3, **look)
    ax.axhline(0, zorder=1, **BASE_LINE)
    _name_layers(ax, layers[:-1])
    ax.set_xlim(-0.04, 1.06)
    ax.margins(y=0.1)
    ax.yaxis.set_major_locator(round_ticks())
    ax.tick_params(labelsize=SMALL_SIZE, colors=INK, length=3, width=0.8)
    ax.legend(fontsize=SMALL_SIZE, labelcolor=INK, frameon=False, loc="lower left", borderaxespad=0.3)
    ax.set_xlabel("layers copied, up to the one named", fontsize=TEXT_SIZE, color=INK)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _name_layers(ax: Axes, copied: Sequence[str]) -> None:
    places = [n / len(copied) for n in range(1, len(copied) + 1)]
    ax.set_xticks([0, *places], ["base", *copied], rotation=40, ha="right", rotation_mode="anchor")


def _check(tables: Mapping[str, pd.DataFrame]) -> None:
    if not tables:
        raise UsageError("there is no network to draw: give a table as of tabulate by its name.")
    for table in tables.values():
        select(table, SHOWN)
