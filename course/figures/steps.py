"""Sudden or gradual: at which layers AnB falls below BnB, and by how much at each."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from course.figures.looks import FULL, HOLLOW
from transferkit.errors import UsageError
from transferkit.figures.picture import Picture, page
from transferkit.figures.style import EDGE_WIDTH, INK, LEGEND, LINE_WIDTH, QUIET, label, round_ticks, tidy
from transferkit.figures.words import listed
from transferkit.treatments import LAYERS

_APART = 0.12  # of a layer: so far the marks of two tables stand beside each other
_LOOKS: Sequence[Mapping[str, Any]] = (FULL, HOLLOW, {"color": INK, "marker": "^", "linewidth": LINE_WIDTH})


def steps(tables: Mapping[str, pd.DataFrame], title: str = "Sudden or gradual? The fall at each layer") -> Picture:
    """How much further below BnB AnB lies at each n than at the n before, in points, with 95 % intervals.

    tables: up to three of `evidence.steps.steps`, each with the name of its networks. Raises UsageError for another
    number, and for tables without a row.
    """
    if not 0 < len(tables) <= len(_LOOKS) or any(table.empty for table in tables.values()):
        raise UsageError("steps need one to three tables with networks of AnB and BnB at the same n: train both.")
    notes = [
        "A sudden change would be one low mark, with all others at zero. Bars: 95 % interval over splits or "
        "seeds, where there are three or more; it tells a step from zero where it does not reach the line."
    ]
    figure = page(3.9, title, notes)
    ax = figure.subplots()
    ax.axhline(0, color=INK, linewidth=EDGE_WIDTH, zorder=1)
    for place, (name, table) in enumerate(tables.items()):
        _draw(ax, table, _APART * (2 * place - len(tables) + 1), f"{name}, {_basis(table)}", _LOOKS[place])
    n = sorted({int(value) for table in tables.values() for value in table["n"]})
    ax.set_xticks(n, [f"{value}\n{_layer(value)}" for value in n])
    ax.yaxis.set_major_locator(round_ticks())
    label(ax, "n, and the layer that is copied last", "Change of AnB minus BnB (points)")
    tidy(ax)
    ax.legend(loc="lower left", **LEGEND)
    opening = "How much further below BnB AnB lies at each n than at the n before it, in points."
    return Picture(figure, " ".join([opening, *(_words(name, table) for name, table in tables.items())]))


def _draw(ax: Axes, table: pd.DataFrame, shift: float, name: str, look: Mapping[str, Any]) -> None:
    x, bounds = table["n"] + shift, table[["low", "high"]].to_numpy()
    ax.vlines(x, bounds[:, 0], bounds[:, 1], color=QUIET, linewidth=1.4, zorder=2)
    ax.plot(x, table["step"], zorder=3, label=name, gid="steps", **{**look, "linestyle": "none"})


def _layer(n: int) -> str:
    return LAYERS[n - 1] if n <= len(LAYERS) else ""


def _basis(table: pd.DataFrame) -> str:
    clusters, over = int(table["clusters"].min()), str(table["over"].iloc[0])
    return f"{int(table['networks'].sum())} networks, {clusters} {over if clusters > 1 else over.removesuffix('s')}"


def _words(name: str, table: pd.DataFrame) -> str:
    told = listed([f"{row['step']:+.1f} at n = {row['n']:.0f}" for row in table.to_dict("records")])
    clear = [int(n) for n in table.loc[table["high"] < 0, "n"]]
    if np.isnan(table["high"]).all():
        return f"{name} ({_basis(table)}): {told}; no interval."
    said = f"at n = {listed(clear)}" if clear else "nowhere"
    return f"{name} ({_basis(table)}): {told}. The interval lies below zero {said}."
