"""Networks of different depths on one axis: the share of their layers that is copied."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from transferkit.errors import UsageError
from transferkit.figures.lines import base_mean, select
from transferkit.figures.picture import Picture, page
from transferkit.figures.style import BASE_LINE, LARGE, LEGEND, STYLES, label, round_ticks, tidy
from transferkit.figures.words import caption, trends
from transferkit.results import layers_of, summarise
from transferkit.treatments import Treatment

SHOWN: tuple[Treatment, ...] = ("BnB", "AnB")


def depths(
    tables: Mapping[str, pd.DataFrame], data: str, title: str = "The same question to other networks"
) -> Picture:
    """A panel per network, side by side: mean paired differences of BnB and AnB over the share of layers copied.

    tables: from `results.tabulate`, by the network's name. The layers' names stand at their shares. Raises
    UsageError when there is no table, or one without networks.
    """
    if not tables:
        raise UsageError("there is no network to draw: give a table from tabulate by its name.")
    for table in tables.values():
        select(table, SHOWN)
    said = {name: caption(table, data, SHOWN) for name, table in tables.items()}
    notes = [f"{name}: {said[name]}; bases {100 * base_mean(table):.1f} %." for name, table in tables.items()]
    notes.append("Dashed: a network's own base. Lines are means over the networks of a point.")
    sentences = ["Frozen selffer and transferred layers against base, a panel per network."]
    figure = page(3.1 + 0.16 * len(notes), title, notes)
    panels = np.atleast_1d(figure.subplots(1, len(tables), sharey=True))
    for ax, (name, table) in zip(panels, tables.items(), strict=True):
        _draw(ax, table)
        label(ax, "layers copied, up to the one named", title=name)
        sentences += [f"{name}, layers {', '.join(layers_of(table))}: {said[name]}.", *trends(table, SHOWN)]
    label(panels[0], y="Paired difference to base (points)")
    return Picture(figure, " ".join(sentences))


def _draw(ax: Axes, table: pd.DataFrame) -> None:
    copied = layers_of(table)[:-1]
    summary = summarise(table[table["paired"].notna()])
    for treatment in SHOWN:
        chosen = summary[summary["treatment"] == treatment]
        x, means = np.append(0, chosen["n"] / len(copied)), np.append(0, 100 * chosen["paired"])
        look = STYLES[treatment].line(LARGE, joined=True)
        ax.plot(x, means, gid=treatment, label=treatment, zorder=3, **look)
    ax.axhline(0, zorder=1, **BASE_LINE)
    places = [n / len(copied) for n in range(len(copied) + 1)]
    ax.set_xticks(places, ["base", *copied], rotation=40, ha="right", rotation_mode="anchor")
    ax.set_xlim(-0.04, 1.06)
    ax.margins(y=0.1)
    ax.yaxis.set_major_locator(round_ticks())
    tidy(ax)
    ax.legend(loc="lower left", borderaxespad=0.3, **LEGEND)
