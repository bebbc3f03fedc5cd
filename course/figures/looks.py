"""Looks of lines in the course's figures: two that differ in all but width, and a scale that differs in grey too."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from matplotlib.colors import LinearSegmentedColormap, to_hex

from transferkit.figures.style import EDGE_WIDTH, LARGE, LINE_WIDTH, marker

FULL: Mapping[str, Any] = MappingProxyType(  # two lines that differ in all but their width
    {"color": "#a34700", "linestyle": "-", "marker": "o", "linewidth": LINE_WIDTH}
)
HOLLOW: Mapping[str, Any] = MappingProxyType(
    {
        "color": "#00527f", "linestyle": (0, (4, 2)), "marker": "s", "markerfacecolor": "white",
        "linewidth": LINE_WIDTH,
    }
)  # fmt: skip

_SCALE = LinearSegmentedColormap.from_list("pale to dark", ["#e8a268", "#c85a12", "#7c2f06", "#2b1408"])
_SHAPES: Sequence[Any] = ("o", "s", marker("diamond", ""), "^", "v", "p", "X", "P")


def shade(place: int, count: int) -> str:
    """The colour of step `place` of `count`, 0 the palest."""
    return to_hex(_SCALE(place / max(count - 1, 1)))


def ordered_look(place: int, count: int) -> dict[str, Any]:
    """Arguments for `Axes.plot` for step `place` of `count`: a shade of its own and a marker of its own."""
    colour = shade(place, count)
    return {
        "color": colour,
        "marker": _SHAPES[place % len(_SHAPES)],
        "markersize": 0.85 * LARGE,
        "markerfacecolor": colour,
        "markeredgecolor": "white",
        "markeredgewidth": 0.6 * EDGE_WIDTH,
        "linewidth": LINE_WIDTH,
        "linestyle": "-",
    }
