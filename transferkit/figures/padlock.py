"""A padlock as a drawing, so that no font is needed for it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from transferkit.figures.style import INK


def draw_padlock(ax: Axes, middle: tuple[float, float], size: float) -> None:
    """Draw a closed padlock, `size` high, around `middle`; both in data units of an Axes with y downwards."""
    x, y = middle
    half, top = 0.36 * size, y - 0.02 * size
    body = Path([(x - half, top), (x + half, top), (x + half, y + size / 2), (x - half, y + size / 2), (x - half, top)],
                closed=True)  # fmt: skip
    angle = np.linspace(np.pi, 0, 24)
    radius, shoulder = 0.24 * size, y - 0.24 * size
    arc = [(x + radius * np.cos(turn), shoulder - radius * np.sin(turn)) for turn in angle]
    shackle = Path([(x - radius, top), *arc, (x + radius, top)])
    ax.add_patch(PathPatch(body, facecolor=INK, edgecolor=INK, linewidth=0.6, zorder=4, gid="lock"))
    ax.add_patch(PathPatch(shackle, fill=False, edgecolor=INK, linewidth=1.3, zorder=4))
