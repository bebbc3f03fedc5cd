"""The two panels of Figure 2 of Yosinski et al. 2014, each drawn into given Axes from a tidy table."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from transferkit.errors import UsageError
from transferkit.figures.style import (
    BASE_LINE,
    EDGE_WIDTH,
    INK,
    LARGE,
    QUIET,
    SMALL,
    SMALL_SIZE,
    STYLES,
    TEXT_SIZE,
    dress,
    round_ticks,
)
from transferkit.results import summarise
from transferkit.treatments import CHOP_POINTS, Treatment

FIGURE2: tuple[Treatment, ...] = ("base", "BnB", "BnB+", "AnB", "AnB+")
RANDOM: tuple[Treatment, ...] = ("base", "AnB", "RnB")

_FILLS: tuple[tuple[Treatment, Treatment, str, str], ...] = (
    ("base", "BnB", "#e3eff8", "selffer below base: fragile co-adaptation"),
    ("BnB", "AnB", "#f8d5bb", "transfer below selffer: specificity"),
)
_LINE_SHIFT = 0.33  # of a treatment's offset: so far its means are moved, that intervals stand side by side
_LABEL_HEIGHT = 0.055  # of the axis: the least distance of two labels at line ends
_SEEN = 0.02  # of the axis: an area that is nowhere higher is not worth a legend

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Line:
    """One treatment's means and intervals in points at n = 0..7, all 0 at n = 0 and NaN where there is no network."""

    x: Floats
    mean: Floats
    low: Floats
    high: Floats


def plot_networks(ax: Axes, table: pd.DataFrame, treatments: Sequence[Treatment] = FIGURE2) -> None:
    """Draw one marker per network: top-1 in percent over n (Figure 2, top).

    `table` is as of `results.tabulate`. Treatments stand side by side; within one, networks are spread from
    left to right by target half, split and seed, so none hides another. Dashed: the mean of the bases.
    """
    for treatment in treatments:
        chosen = table[table["treatment"] == treatment]
        style = STYLES[treatment]
        x = chosen["n"] + style.offset + _spread(chosen, 0.04)
        ax.plot(x, 100 * chosen["top1"], gid=treatment, zorder=3, **style.line(SMALL, joined=False))
    if np.isfinite(mean := base_mean(table)):
        ax.axhline(100 * mean, zorder=1, **BASE_LINE)
    dress(ax, names=False)
    ax.set_ylabel("Validation top-1 accuracy (%)", fontsize=TEXT_SIZE, color=INK)


def plot_means(
    ax: Axes, table: pd.DataFrame, treatments: Sequence[Treatment] = FIGURE2, *, networks: bool = False
) -> None:
    """Draw a line per treatment through the means of its paired differences, in percentage points (Figure 2, bottom).

    All lines start at the bases' 0. Bars are the 95 % intervals of `results.summarise`, where it gives them;
    `networks` adds a small marker for each. The axis on the right adds the bases' mean, in percent. Networks
    without their target's base are left out.
    """
    paired = table[table["paired"].notna()]
    summary = summarise(paired)
    lines = {treatment: _line(summary, treatment) for treatment in treatments}
    for treatment, line in lines.items():
        _draw_line(ax, treatment, line)
        if networks and treatment != "base":
            chosen = paired[paired["treatment"] == treatment]
            x = line.x[chosen["n"]] + _spread(chosen, 0.15)
            ax.plot(x, 100 * chosen["paired"], alpha=0.55, zorder=2, **STYLES[treatment].line(SMALL - 1, joined=False))
    dress(ax, names=True)
    ax.plot([ax.get_xlim()[0], CHOP_POINTS[-1] + 0.13], [0, 0], zorder=1, **BASE_LINE)
    ax.margins(y=0.08)
    if paired.empty:
        ax.set_yticks([])
        message = "no network has its base to be compared with"
        ax.text(0.5, 0.6, message, transform=ax.transAxes, ha="center", fontsize=TEXT_SIZE, color=INK)
    _fill(ax, lines)
    _label_ends(ax, lines, 0.39 if networks else 0.22)
    _add_accuracy_axis(ax, base_mean(table))
    ax.set_xlabel("n: number of layers copied, conv1 up to the one named", fontsize=TEXT_SIZE, color=INK)
    ax.set_ylabel("Paired difference to base (points)", fontsize=TEXT_SIZE, color=INK)


def select(table: pd.DataFrame, treatments: Sequence[Treatment]) -> pd.DataFrame:
    """The rows of these treatments. Raises UsageError when there is none."""
    chosen = table[table["treatment"].isin(list(treatments))]
    if chosen.empty:
        raise UsageError(f"the table has no network of {', '.join(treatments)}: train some with the sweep first.")
    return chosen


def base_mean(table: pd.DataFrame) -> float:
    """The mean top-1 (0..1) of the base networks; NaN when there is none."""
    return float(table.loc[table["treatment"] == "base", "top1"].mean())


def _spread(chosen: pd.DataFrame, half_width: float) -> Floats:
    """Per network of one treatment: its place from -half_width to half_width among those with the same n."""
    chosen = chosen.reset_index(drop=True)
    groups = chosen.sort_values(["target", "split", "seed"]).groupby("n")
    rank = groups.cumcount().sort_index().to_numpy()
    count = chosen.groupby("n")["n"].transform("size").to_numpy()
    return np.where(count > 1, 2 * rank / np.maximum(count - 1, 1) - 1, 0.0) * half_width


def _line(summary: pd.DataFrame, treatment: Treatment) -> _Line:
    chosen = summary[summary["treatment"] == treatment].set_index("n")[["paired", "low", "high"]]
    n = np.arange(1.0 + len(CHOP_POINTS))
    points = 100 * chosen.reindex(n).to_numpy(dtype=float)
    if treatment != "base":
        points[0] = 0
    shift = np.where(n > 0, STYLES[treatment].offset * _LINE_SHIFT, 0)
    return _Line(n + shift, points[:, 0], points[:, 1], points[:, 2])


def _draw_line(ax: Axes, treatment: Treatment, line: _Line) -> None:
    style = STYLES[treatment]
    marked = np.isfinite(line.mean) & ((line.x > 0) | (treatment == "base"))
    barred = np.isfinite(line.low) & (line.x > 0)
    ax.vlines(line.x[barred], line.low[barred], line.high[barred], color=style.edge, linewidth=EDGE_WIDTH, zorder=2)
    order = 4 if treatment == "base" else 3
    look = style.line(LARGE, joined=True)
    ax.plot(line.x, line.mean, gid=treatment, zorder=order, markevery=np.flatnonzero(marked).tolist(), **look)


def _fill(ax: Axes, lines: dict[Treatment, _Line]) -> None:
    """Pale areas where one line lies below another, with a legend above the panel of what they mean."""
    low, high = ax.get_ylim()
    x = np.linspace(0, CHOP_POINTS[-1], 1 + 100 * CHOP_POINTS[-1])
    for upper, lower, colour, meaning in _FILLS:
        if upper not in lines or lower not in lines:
            continue
        above = np.interp(x, lines[upper].x, lines[upper].mean, right=np.nan) if upper != "base" else np.zeros_like(x)
        below = np.interp(x, lines[lower].x, lines[lower].mean, right=np.nan)
        shown = above > below
        if (above - below)[shown].max(initial=0) > _SEEN * (high - low):
            ax.fill_between(x, above, below, where=shown, color=colour, linewidth=0, label=meaning, zorder=0.5)
    ax.set_ylim(low, high)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.1, borderpad=0.2,
            fontsize=SMALL_SIZE, frameon=False, handlelength=1.6,
        )  # fmt: skip


def _label_ends(ax: Axes, lines: dict[Treatment, _Line], gap: float) -> None:
    """The treatment's name `gap` to the right of its last point; names that would touch are moved apart."""
    ends = []
    for treatment, line in lines.items():
        there = np.flatnonzero(np.isfinite(line.mean))
        if there.size and there[-1] > 0:
            ends.append((line.mean[there[-1]], there[-1] + gap, treatment))
    ends.sort()
    low, high = ax.get_ylim()
    heights = np.array([height for height, *_ in ends])
    for _ in range(len(ends) ** 2):  # each pass moves touching neighbours apart by half of what is missing
        for lower, upper in pairwise(range(len(ends))):
            missing = max(0.0, (high - low) * _LABEL_HEIGHT - (heights[upper] - heights[lower]))
            heights[lower] -= missing / 2
            heights[upper] += missing / 2
    for height, (_, x, treatment) in zip(heights, ends, strict=True):
        ax.text(x, height, treatment, fontsize=SMALL_SIZE, color=STYLES[treatment].edge, va="center")


def _add_accuracy_axis(ax: Axes, base: float) -> None:
    if not np.isfinite(base):
        return
    percent = 100 * base
    both_ways = (lambda points: np.add(points, percent), lambda top1: np.subtract(top1, percent))
    axis = ax.secondary_yaxis("right", functions=both_ways)
    axis.yaxis.set_major_locator(round_ticks())
    axis.tick_params(labelsize=SMALL_SIZE, colors=QUIET, length=3, width=0.8)
    axis.spines["right"].set_color(QUIET)
    axis.set_ylabel("Mean of the bases + difference (%)", fontsize=TEXT_SIZE, color=QUIET)
