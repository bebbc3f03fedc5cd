"""An ordered colour scale, pale to dark, whose steps differ in grey too."""

from collections.abc import Sequence
from typing import Any

from matplotlib.colors import LinearSegmentedColormap, to_hex

from transferkit.figures.style import EDGE_WIDTH, LARGE, LINE_WIDTH, marker

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
