"""Whole figures from tables, and their way to a file."""

import io
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from transferkit import atomic
from transferkit.figures.panels import FIGURE2, RANDOM, base_mean, plot_means, plot_networks, select
from transferkit.figures.style import INK, QUIET, SMALL_SIZE, TEXT_SIZE, TITLE_SIZE, key
from transferkit.figures.words import caption, interval_note
from transferkit.treatments import HALVES, TREATMENTS

DPI = 200
PAGE_WIDTH = 7.0  # inches
FILTERS_PER_ROW = 8
_LEFT = 0.012  # of the page's width
_NOTE_WIDTH = 104  # characters


def draw_figure2(table: pd.DataFrame, data: str, title: str = "How transferable are the features?") -> Figure:
    """Figure 2 of Yosinski et al. 2014: every network above, mean paired differences below; 7 x 7.5 inches.

    `table` is as of `results.tabulate` and may lack runs; `data` names the data set in the caption.
    Raises UsageError for a table without networks.
    """
    chosen = select(table, FIGURE2)
    note = f"Above, one marker per network{_sides(chosen)}."
    figure = _page(7.5, title, chosen, [f"{caption(table, data)}.", note, interval_note(chosen)])
    above, below = figure.subplots(2, 1, height_ratios=(1, 1.05))
    plot_networks(above, table)
    plot_means(below, table)
    return figure


def draw_random(table: pd.DataFrame, data: str, title: str = "Random, untrained filters") -> Figure:
    """Random frozen filters beside transferred ones (Figure 3, top right and bottom): means and networks, one panel.

    Arguments and errors as for `draw_figure2`.
    """
    chosen = select(table, RANDOM)
    note = f"Small markers: single networks{_sides(chosen)}."
    figure = _page(4.6, title, chosen, [f"{caption(table, data, RANDOM)}.", note, interval_note(chosen)])
    plot_means(figure.subplots(), table, RANDOM, networks=True)
    return figure


def draw_conv1(tiles_a: np.ndarray, tiles_b: np.ndarray, names: tuple[str, str] = ("baseA", "baseB")) -> Figure:
    """The filters of conv1 of two networks side by side; tiles, filters x k x k x 3 in 0..1, stand in the given order.

    Every weight is the same whole number of pixels of the saved file, so tiles stay crisp.
    """
    width = int(PAGE_WIDTH * DPI)
    margin, heading = 20, 54
    room = (width - 3 * margin) // 2
    sheets = [_sheet(tiles, room) for tiles in (tiles_a, tiles_b)]
    height = heading + max(len(sheet) for sheet in sheets) + margin
    figure = Figure(figsize=(PAGE_WIDTH, height / DPI), dpi=DPI, facecolor="white")
    for left, sheet, tiles, name in zip((margin, 2 * margin + room), sheets, (tiles_a, tiles_b), names, strict=True):
        rows, columns = sheet.shape[:2]
        box = (left / width, (height - heading - rows) / height, columns / width, rows / height)
        ax = figure.add_axes(box)
        ax.imshow(sheet, interpolation="nearest")
        ax.set_axis_off()
        size = f"{len(tiles)} filters, {tiles.shape[1]} x {tiles.shape[2]}"
        ax.set_title(f"conv1 of {name} ({size})", loc="left", fontsize=TEXT_SIZE, color=INK)
    return figure


def to_png(figure: Figure, alt: str) -> bytes:
    """The figure as a PNG at DPI; the same figure gives the same bytes.

    `alt` and the figure's title stand in the file as "Description" and "Title".
    """
    buffer = io.BytesIO()
    metadata = {"Title": figure.get_suptitle() or "conv1", "Description": alt, "Software": None}
    figure.savefig(buffer, format="png", dpi=DPI, metadata=metadata)
    return buffer.getvalue()


def save(figure: Figure, path: Path, alt: str) -> None:
    """Write the figure as PNG, whole or not at all. Raises StoreError when `path` cannot be written."""
    atomic.write_bytes(path, to_png(figure, alt))


def _sides(table: pd.DataFrame) -> str:
    return ", target A to the left, B to the right" if table["target"].nunique() == len(HALVES) else ""


def _page(height: float, title: str, table: pd.DataFrame, notes: list[str]) -> Figure:
    """A page with title and legend at its top, notes at its bottom, and room for panels between them."""
    figure = Figure(figsize=(PAGE_WIDTH, height), dpi=DPI, facecolor="white")
    figure.suptitle(title, x=_LEFT, y=1 - 0.08 / height, ha="left", va="top", fontsize=TITLE_SIZE, color=INK)
    there = set(table["treatment"])
    entries = key([treatment for treatment in TREATMENTS if treatment in there], base_mean(table))
    figure.legend(
        handles=entries, loc="upper left", bbox_to_anchor=(0.006, 1 - 0.32 / height), ncols=-(-len(entries) // 2),
        fontsize=SMALL_SIZE, frameon=False, handlelength=2.6, columnspacing=1.8, borderaxespad=0,
    )  # fmt: skip
    lines = [line for note in notes for line in textwrap.wrap(note, _NOTE_WIDTH)]
    figure.text(_LEFT, 0.06 / height, "\n".join(lines), va="bottom", fontsize=SMALL_SIZE, color=QUIET)
    below = 0.12 + 0.16 * len(lines)
    figure.set_layout_engine("constrained", rect=(0, below / height, 1, 1 - (below + 0.76) / height))
    return figure


def _sheet(tiles: np.ndarray, room: int) -> NDArray[np.float32]:
    """One picture of all tiles in rows of FILTERS_PER_ROW on white, at most `room` pixels wide."""
    count, side = tiles.shape[:2]
    cell = room // FILTERS_PER_ROW
    scale = max(1, int(cell * 0.92) // side)
    step = scale * side + max(1, cell - scale * side)
    rows = -(-count // FILTERS_PER_ROW)
    sheet = np.ones((rows * step, FILTERS_PER_ROW * step, 3), dtype=np.float32)
    for index, tile in enumerate(tiles):
        top, left = (index // FILTERS_PER_ROW) * step, (index % FILTERS_PER_ROW) * step
        sheet[top : top + scale * side, left : left + scale * side] = tile.repeat(scale, axis=0).repeat(scale, axis=1)
    return sheet
