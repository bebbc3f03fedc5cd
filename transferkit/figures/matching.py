"""How alike the filters of two first layers are, pair by pair."""

from collections.abc import Mapping
from itertools import cycle, pairwise
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from transferkit.errors import UsageError
from transferkit.figures.page import page
from transferkit.figures.style import INK, LINE_WIDTH, SMALL_SIZE, TEXT_SIZE
from transferkit.first_layer import Matching

_APART = 0.125  # of the axis: the least distance of two labels, which have two lines
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.6)), (0, (1, 1.2)), (0, (7, 1.5, 1.2, 1.5)))
_COLOURS = (INK, "#006d55", "#a6407d", "#8a6a00")


def draw_matching(matchings: Mapping[str, Matching], title: str = "How alike two first layers are") -> Figure:
    """A line per comparison: the cosines of its matched pairs of filters, most alike first.

    matchings: by comparison, as of `first_layer.match_filters`. Raises UsageError when there is none, or an empty one.
    """
    _check(matchings)
    notes = (
        "Filters are paired one to one so that they are most alike in all; a cosine is that of their weights at the "
        "best small shift. 1: the same filter; 0: nothing in common. n: pairs.",
    )
    figure = page(4.2, title, notes)
    ax = figure.subplots()
    longest = max(len(matching.likeness) for matching in matchings.values())
    for (name, matching), dash, colour in zip(matchings.items(), cycle(_DASHES), cycle(_COLOURS), strict=False):
        rank = np.arange(1, len(matching.likeness) + 1)
        ax.plot(rank, matching.likeness, linestyle=dash, color=colour, linewidth=1.3 * LINE_WIDTH, label=name)
    lowest = min(float(matching.likeness.min()) for matching in matchings.values())
    ax.set(xlim=(0.5, longest + 0.5), ylim=(min(0.0, lowest - 0.02), 1.02))
    heights = _apart([float(matching.likeness[-1]) for matching in matchings.values()])
    for (name, matching), height, colour in zip(matchings.items(), heights, cycle(_COLOURS), strict=False):
        words = f"{name}\nmean {matching.likeness.mean():.2f}, n = {len(matching.likeness)}"
        x = len(matching.likeness) + 0.02 * longest
        ax.text(x, height, words, color=colour, fontsize=SMALL_SIZE, va="center", linespacing=1.25)
    ax.set_xlabel("Rank of the pair, most alike first", fontsize=TEXT_SIZE, color=INK)
    ax.set_ylabel("Cosine of the two filters", fontsize=TEXT_SIZE, color=INK)
    ax.tick_params(labelsize=SMALL_SIZE, colors=INK, length=3, width=0.8)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return figure


def describe_matching(matchings: Mapping[str, Matching]) -> str:
    """Alternative text of the matched pairs; arguments and errors as for `draw_matching`."""
    _check(matchings)
    lines = [
        f"{name}, {len(matching.likeness)} pairs: from {matching.likeness[0]:.2f} to {matching.likeness[-1]:.2f}, "
        f"mean {matching.likeness.mean():.2f}."
        for name, matching in matchings.items()
    ]
    return " ".join(["Cosines of the matched pairs of filters, most alike first, a line per comparison.", *lines])


def _check(matchings: Mapping[str, Matching]) -> None:
    if not matchings:
        raise UsageError("there is no comparison to draw: match the filters of at least two networks.")
    for name, matching in matchings.items():
        if len(matching.likeness) == 0:
            raise UsageError(f"{name} has no pair of filters: match two networks that have filters.")


def _apart(ends: list[float]) -> list[float]:
    """Heights of labels near these ends, in the same order, none closer than _APART to the next."""
    order = np.argsort(ends, kind="stable")
    heights = np.array(ends)[order]
    for _ in range(10 * len(ends)):  # each pass moves touching neighbours apart by half of what is missing
        for lower, upper in pairwise(range(len(ends))):
            missing = max(0.0, _APART - (heights[upper] - heights[lower]))
            heights[lower] -= missing / 2
            heights[upper] += missing / 2
    placed = np.empty_like(heights)
    placed[order] = heights
    return [float(height) for height in placed]
