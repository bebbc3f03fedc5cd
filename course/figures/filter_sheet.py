"""The sheet of a first layer: every filter, framed by its kind, with its number and how well a Gabor fits it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle
from numpy.typing import NDArray

from course.looking.kinds import LETTERS, count_kinds
from transferkit.errors import UsageError
from transferkit.figures.picture import DPI, PAGE_WIDTH, Picture, foot, head, page
from transferkit.figures.style import INK
from transferkit.gabor import Kind

_WIDTH = round(PAGE_WIDTH * DPI)  # pixels of the saved file
_ROWS = ((40, 8), (100, 12))  # the most filters that stand in rows of this length
_LONG_ROW = 10  # for more filters: a number of three digits needs room
_MARGIN, _GAP, _LABEL = 17, 20, 28  # pixels of the saved file: at the page's sides, between tiles, below each
_FRAME = 1.7  # points
_LABEL_SIZE = 7.0  # points: three facts fit below a tile of a twelfth of the page

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Look:
    """A kind's name, the frame of its tiles and the fill of its bars: unlike in colour and in grey."""

    name: str
    frame: Mapping[str, Any]
    fill: str
    hatch: str
    ink: str


_DOTS, _DASHES, _PLAIN = (0, (1.3, 0.9)), (0, (4, 1.6)), {"edgecolor": "#cfcfcf"}
LOOKS: Mapping[Kind, Look] = MappingProxyType(
    {
        "gabor": Look("Gabor", {"edgecolor": "#006d55"}, "#006d55", "", "#ffffff"),
        "edge": Look("edge", {"edgecolor": "#2f6db3", "linestyle": _DASHES}, "#6f9fd2", "\\\\", INK),
        "colour blob": Look("colour blob", {"edgecolor": "#c2458c", "linestyle": _DOTS}, "#eab9d4", "////", INK),
        "grey blob": Look("grey blob", {"edgecolor": "#4d4d4d", "linestyle": _DOTS}, "#b8b8b8", "xxx", INK),
        "neither": Look("neither", _PLAIN, "#ffffff", "....", INK),
        "not fitted": Look("not fitted", _PLAIN, "#ffffff", "", INK),
    }
)


@dataclass(frozen=True)
class _Grid:
    """Where tiles stand on the sheet, in pixels of the saved file: `scale` per weight, `side` per tile."""

    columns: int
    scale: int
    side: int
    above: int

    def corner(self, index: int) -> tuple[int, int]:
        """The left and top of a tile."""
        across = (_WIDTH - 2 * _MARGIN + _GAP) // self.columns
        left = _MARGIN + index % self.columns * across + (across - _GAP - self.side) // 2
        return left, self.above + index // self.columns * (self.side + _LABEL + _GAP)


def filter_sheet(tiles: Floats, table: pd.DataFrame, title: str) -> Picture:
    """All filters in the order given, each framed by its kind; below it its number, kind and R2.

    tiles: float filters x k x k x 3 in 0..1, from `tiles.filter_tiles`; table: from `kinds.fit_table`, with
    its rows in the order of the tiles. Every weight is the same whole number of pixels of the saved file.
    Raises UsageError when there is no filter, or not one row for each.
    """
    if not len(tiles):
        raise UsageError("the sheet has no filters: give one row for each filter of its conv1.")
    if len(tiles) != len(table):
        raise UsageError(f"{len(tiles)} tiles and {len(table)} rows do not fit: give one row per tile, in its order.")
    stopped = _stopped(table)
    notes = (
        "Below each filter: its number, its kind and R\N{SUPERSCRIPT TWO}, the share of its energy that the nearest "
        "Gabor or patch explains. What a plane explains as well, as a ramp or one colour all over, is neither. Each is "
        "scaled by its own largest weight; mid-grey is zero.",
        "*: a bound of the fit stopped some of its numbers, which are not measured." if any(stopped) else "",
    )
    entries = _entries(table)
    grid = _grid(len(tiles), tiles.shape[1], round(head(entries, rows=2) * DPI))
    height = grid.corner(-(-len(tiles) // grid.columns) * grid.columns)[1] + round(foot(notes) * DPI)
    figure = page(height / DPI, title, notes, entries, rows=2)
    figure.set_layout_engine("none")
    for text in figure.texts:
        text.set_parse_math(False)  # the name of a file may hold dollars
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_axis_off()
    canvas = np.ones((height, _WIDTH, 3), dtype=np.float32)
    for index, (tile, row, star) in enumerate(zip(tiles, table.itertuples(), stopped, strict=True)):
        left, top = grid.corner(index)
        enlarged = tile.repeat(grid.scale, axis=0).repeat(grid.scale, axis=1)
        canvas[top : top + grid.side, left : left + grid.side] = enlarged
        _frame(ax, (left, top), grid.side, row, "*" * star)
    ax.imshow(canvas, interpolation="nearest", extent=(0, _WIDTH, height, 0), aspect="auto")
    r2 = table["r2"].dropna()
    fits = f" R2 of the fits: median {r2.median():.2f}, from {r2.min():.2f} to {r2.max():.2f}." if len(r2) else ""
    fits += f" A bound stopped {sum(stopped)} of the fits." if any(stopped) else ""
    return Picture(
        figure,
        f"{len(tiles)} filters of {tiles.shape[1]} by {tiles.shape[2]} pixels, each scaled by its own largest weight: "
        f"{kinds_in_words(table)}.{fits}",
    )


def _grid(count: int, k: int, above: int) -> _Grid:
    fits = (_WIDTH - 2 * _MARGIN + _GAP) // (k + _GAP)
    columns = max(1, min(fits, next((row for most, row in _ROWS if count <= most), _LONG_ROW)))
    scale = max(1, ((_WIDTH - 2 * _MARGIN + _GAP) // columns - _GAP) // k)
    return _Grid(columns, scale, scale * k, above)


def _entries(table: pd.DataFrame) -> list[Patch]:
    """The legend of a sheet: frames, letters, counts and shares."""
    entries = []
    for kind, number in count_kinds(table).items():
        words = f"{LETTERS[kind]}  {LOOKS[kind].name}: {number} ({100 * number / len(table):.0f} %)"
        entries.append(Patch(facecolor="#8c8c8c", label=words, linewidth=_FRAME, **LOOKS[kind].frame))
    return entries


def _stopped(table: pd.DataFrame) -> list[bool]:
    """Which of the fits that count have numbers that a bound stopped."""
    counted = [kind not in ("neither", "not fitted") for kind in table["kind"]]
    return [
        fit and isinstance(names, str) and bool(names) for fit, names in zip(counted, table["at_bound"], strict=True)
    ]


def _frame(ax: Axes, corner: tuple[int, int], side: int, row: Any, star: str) -> None:
    (left, top), look, around = corner, LOOKS[row.kind], 3
    wide = side + 2 * around
    ax.add_patch(Rectangle((left - around, top - around), wide, wide, fill=False, linewidth=_FRAME, **look.frame))
    words: dict[str, Any] = {"size": _LABEL_SIZE, "va": "top", "y": top + side + 10}
    ax.text(left - around, s=str(row.filter), ha="left", color=INK, **words)
    ax.text(left + 0.41 * side, s=LETTERS[row.kind] + star, ha="center", weight="bold", color=INK, **words)
    r2 = "" if np.isnan(row.r2) else f"{row.r2:.2f}"
    ax.text(left + side + around, s=r2, ha="right", color=INK, **words)


def kinds_in_words(table: pd.DataFrame) -> str:
    """The counts and shares of all kinds, in words."""
    words = []
    for kind, number in count_kinds(table).items():
        ending = "" if kind in ("neither", "not fitted") or number == 1 else "s"
        words.append(f"{number} {LOOKS[kind].name}{ending} ({100 * number / len(table):.0f} %)")
    return ", ".join(words)
