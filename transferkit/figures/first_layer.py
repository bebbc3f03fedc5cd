"""The filters of conv1 of two networks side by side."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from transferkit.figures.picture import DPI, PAGE_WIDTH, Picture
from transferkit.figures.style import label
from transferkit.gabor.tiles import is_coloured

FILTERS_PER_ROW = 8  # of conv1, and of a training to watch


def conv1(tiles_a: np.ndarray, tiles_b: np.ndarray, names: tuple[str, str] = ("baseA", "baseB")) -> Picture:
    """The filters of conv1 of two networks side by side; tiles, filters x k x k x 3 in 0..1, stand in the given order.

    Every weight is the same whole number of pixels of the saved file, so tiles stay crisp.
    """
    width = int(PAGE_WIDTH * DPI)
    margin, heading = 20, 54
    room = (width - 3 * margin) // 2
    sheets = [filter_grid(tiles, room) for tiles in (tiles_a, tiles_b)]
    height = heading + max(len(sheet) for sheet in sheets) + margin
    figure = Figure(figsize=(PAGE_WIDTH, height / DPI), dpi=DPI, facecolor="white")
    words = ["The filters of conv1, each scaled on its own around mid-grey."]
    for left, sheet, tiles, name in zip((margin, 2 * margin + room), sheets, (tiles_a, tiles_b), names, strict=True):
        rows, columns = sheet.shape[:2]
        box = (left / width, (height - heading - rows) / height, columns / width, rows / height)
        ax = figure.add_axes(box)
        ax.imshow(sheet, interpolation="nearest")
        ax.set_axis_off()
        label(ax, title=f"conv1 of {name} ({len(tiles)} filters, {tiles.shape[1]} x {tiles.shape[2]})")
        words.append(f"{name}: {len(tiles)} filters of {tiles.shape[1]} by {tiles.shape[2]} pixels, {colours(tiles)}.")
    return Picture(figure, " ".join(words))


def colours(tiles: np.ndarray) -> str:
    """How many of these filters see colour, in words."""
    return f"{int(is_coloured(tiles).sum())} of them see colour rather than light and dark"


def filter_grid(tiles: np.ndarray, room: int) -> NDArray[np.float32]:
    """One picture of all tiles in rows of FILTERS_PER_ROW on white, at most `room` pixels wide."""
    count, side = tiles.shape[:2]
    cell = room // FILTERS_PER_ROW
    scale = max(1, int(cell * 0.92) // side)
    step = scale * side + max(1, cell - scale * side)
    rows = -(-count // FILTERS_PER_ROW)
    cells = np.ones((rows * FILTERS_PER_ROW, step, step, 3), dtype=np.float32)
    cells[:count, : scale * side, : scale * side] = tiles.repeat(scale, axis=1).repeat(scale, axis=2)
    sheet = cells.reshape(rows, FILTERS_PER_ROW, step, step, 3).swapaxes(1, 2)
    return sheet.reshape(rows * step, FILTERS_PER_ROW * step, 3)
