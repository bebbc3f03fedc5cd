"""The look of all figures: colours, markers, sizes, axes and the entries of legends."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.ticker import MaxNLocator

from transferkit.treatments import APPEARANCES, LAYERS, Appearance, Treatment

INK, QUIET, BAND = "#1a1a1a", "#595959", "#f5f5f5"
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 12.0, 9.5, 8.5  # points
LINE_WIDTH, EDGE_WIDTH = 1.5, 1.0  # points

SMALL, LARGE = 4.5, 6.5  # widths of a network's marker and of a mean's, points
_SIZES = {"diamond": 1.25, "square": 0.92}  # of a circle's width, so that they look as large
BASE_LINE: Mapping[str, Any] = MappingProxyType({"color": INK, "linestyle": (0, (4, 3)), "linewidth": 0.8})

LEGEND: Mapping[str, Any] = MappingProxyType({"fontsize": SMALL_SIZE, "labelcolor": INK, "frameon": False})
ON_LINES: Mapping[str, Any] = MappingProxyType(  # text that lines must not strike through
    {"bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}, "zorder": 5}
)


@dataclass(frozen=True)
class Style(Appearance):
    """The look of one treatment as matplotlib takes it."""

    def line(self, size: float, *, joined: bool) -> dict[str, Any]:
        """Arguments for `Axes.plot`: markers `size` points wide, joined by the line or not."""
        return {
            "marker": marker(self.shape, self.sign), "markersize": size * _SIZES.get(self.shape, 1.0),
            "markerfacecolor": self.fill, "markeredgecolor": self.edge, "markeredgewidth": EDGE_WIDTH,
            "color": self.edge, "linestyle": self.dash if joined else "none", "linewidth": LINE_WIDTH,
        }  # fmt: skip


STYLES: Mapping[Treatment, Style] = MappingProxyType(
    {treatment: Style(**vars(appearance)) for treatment, appearance in APPEARANCES.items()}
)


def marker(shape: str, sign: str) -> Path:
    """The outline of a marker with its sign, as one path in the square -1..1."""
    if shape == "letter":
        path = TextPath((0, 0), sign, size=1)
        low, high = path.get_extents().get_points()
        return Path(2 * (np.asarray(path.vertices) - (low + high) / 2) / (high - low).max(), path.codes)
    outline = {
        "circle": Path.unit_circle(),
        "diamond": Path([(0, 1), (1, 0), (0, -1), (-1, 0), (0, 1)], closed=True),
        "square": Path([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)], closed=True),
    }[shape]
    strokes = {
        "": (),
        "+": (((-0.55, 0), (0.55, 0)), ((0, -0.55), (0, 0.55))),
        "x": (((-0.6, -0.6), (0.6, 0.6)), ((-0.6, 0.6), (0.6, -0.6))),
    }[sign]
    return Path.make_compound_path(outline, *(Path(stroke) for stroke in strokes))


def key(treatments: Sequence[Treatment], base_mean: float) -> list[Line2D]:
    """Legend entries: what each treatment is, and, after "base", the mean top-1 (0..1) that its line marks."""
    entries = [
        Line2D([], [], label=f"{name}: {STYLES[name].meaning}", **STYLES[name].line(LARGE, joined=True))
        for name in treatments
    ]
    if not math.isnan(base_mean):
        entries.insert(1, Line2D([], [], label=f"mean of the bases: {100 * base_mean:.1f} %", **BASE_LINE))
    return entries


def faint(style: Style) -> dict[str, Any]:
    """Arguments for `Axes.plot` for the authors' networks of a treatment: its marker, hollow, on a dotted line."""
    dotted = {"linestyle": (0, (1, 1.4)), "linewidth": 1.0, "alpha": 0.6}
    return style.line(0.8 * LARGE, joined=True) | {"markerfacecolor": "white", "markeredgewidth": 0.7} | dotted


def authors_key() -> Line2D:
    """The legend entry for the authors' networks, whatever their treatment."""
    grey = Style("", "circle", "", "#ffffff", QUIET, "-", 0.0)
    return Line2D([], [], label="the authors' networks (ImageNet)", **faint(grey))


def round_ticks() -> MaxNLocator:
    """Ticks at steps of 1, 2 or 5 times a power of ten."""
    return MaxNLocator(nbins=8, steps=[1, 2, 5, 10])


def dress(ax: Axes, *, names: bool, layers: Sequence[str] = LAYERS) -> None:
    """The x axis of chop points, with the names of the layers or else bands that hold each n together; plain spines."""
    points = range(len(layers))
    ax.set_xlim(-0.45, points[-1] + 0.8)
    below = ("base", *layers[:-1])
    ax.set_xticks(points, [f"{n}\n{name}" if names else str(n) for n, name in zip(points, below, strict=True)])
    for n in () if names else points[1::2]:
        ax.axvspan(n - 0.5 + 0.09, n + 0.5 + 0.09, color=BAND, linewidth=0, zorder=0)
    ax.yaxis.set_major_locator(round_ticks())
    tidy(ax)


def top1_axis(ax: Axes, base: float) -> None:
    """A second axis on the right: `base`, a mean top-1 (0..1), plus the difference, in percent; none for NaN."""
    if math.isnan(base):
        return
    percent = 100 * base
    both_ways = (lambda points: np.add(points, percent), lambda top1: np.subtract(top1, percent))
    axis = ax.secondary_yaxis("right", functions=both_ways)
    axis.yaxis.set_major_locator(round_ticks())
    axis.tick_params(labelsize=SMALL_SIZE, colors=QUIET, length=3, width=0.8)
    axis.spines["right"].set_color(QUIET)
    axis.set_ylabel("Mean of the bases + difference (%)", fontsize=TEXT_SIZE, color=QUIET)


def tidy(ax: Axes, *without: str) -> None:
    """Small ticks, and no spines at the top and at the right, nor at the other sides named."""
    ax.tick_params(labelsize=SMALL_SIZE, colors=INK, length=3, width=0.8)
    ax.spines[["top", "right", *without]].set_visible(False)


def label(ax: Axes, x: str = "", y: str = "", title: str = "") -> None:
    """Name the axes and the panel, where a name is given."""
    words: dict[str, Any] = {"fontsize": TEXT_SIZE, "color": INK}
    if x:
        ax.set_xlabel(x, **words)
    if y:
        ax.set_ylabel(y, **words)
    if title:
        ax.set_title(title, loc="left", **words)
