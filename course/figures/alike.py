"""How alike the layers of two networks are, as tables of shades: CKA (Kornblith et al. 2019, figure 2 and its like)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from transferkit.errors import UsageError
from transferkit.figures.picture import page
from transferkit.figures.style import INK, SMALL_SIZE, TEXT_SIZE

_SHADES = LinearSegmentedColormap.from_list("unlike to alike", ["#ffffff", "#9ec9e6", "#0072b2", "#00263d"])
_DARK = 0.5  # from this value on a number is written in white


def draw_cka(tables: Mapping[str, pd.DataFrame], title: str = "How alike two networks see the same images") -> Figure:
    """A panel per comparison, side by side: the CKA (0..1) of each layer of one network with each of the other.

    tables: by the name of the comparison, as of `cka.cka_table`. Raises UsageError when there is none.
    """
    _check(tables)
    rows = max(len(table) for table in tables.values())
    notes = (
        "Linear CKA of all units of a layer, on the same validation images: 1 where one layer is the other turned, "
        "mirrored or scaled as a whole, 0 where they have nothing in common.",
    )
    figure = page(2.1 + 0.36 * rows, title, notes)
    for ax, (name, table) in zip(np.atleast_1d(figure.subplots(1, len(tables))), tables.items(), strict=True):
        _draw(ax, name, table)
    return figure


def describe_cka(tables: Mapping[str, pd.DataFrame]) -> str:
    """Alternative text of the CKA: every layer with its like in the other network; arguments as for `draw_cka`."""
    _check(tables)
    told = []
    for name, table in tables.items():
        own = [f"{layer} {table.loc[layer, layer]:.2f}" for layer in table.index if layer in table.columns]
        told.append(f"{name}: each layer with its own in the other network, {', '.join(own)}.")
    return " ".join(["Tables of CKA, the likeness of layers, from 0 to 1.", *told])


def _draw(ax: Axes, name: str, table: pd.DataFrame) -> None:
    values = table.to_numpy(dtype=float)
    ax.imshow(values, cmap=_SHADES, vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        colour = "white" if value >= _DARK else INK
        ax.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=SMALL_SIZE, color=colour)
    first, _, second = name.partition(" with ")
    ax.set_title(name, loc="left", fontsize=TEXT_SIZE, color=INK)
    ax.set_xticks(range(len(table.columns)), list(table.columns), fontsize=SMALL_SIZE, rotation=40, ha="right")
    ax.set_yticks(range(len(table.index)), list(table.index), fontsize=SMALL_SIZE)
    ax.set_ylabel(f"layer of {first}" if second else "layer of the first", fontsize=SMALL_SIZE, color=INK)
    ax.set_xlabel(f"layer of {second}" if second else "layer of the second", fontsize=SMALL_SIZE, color=INK)
    ax.tick_params(length=0, colors=INK)
    ax.spines[:].set_visible(False)


def _check(tables: Mapping[str, pd.DataFrame]) -> None:
    if not tables:
        raise UsageError("there is no comparison to draw: give a table as of cka_table by its name.")
