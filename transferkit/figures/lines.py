"""Markers, lines and their labels over n: what Figures 2 and 3 and their like are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from transferkit.errors import UsageError
from transferkit.figures.style import BASE_LINE, EDGE_WIDTH, ON_LINES, SMALL, SMALL_SIZE, STYLES, dress, label
from transferkit.results import layers_of
from transferkit.treatments import LAYERS, TREATMENTS, Treatment

_LABEL_HEIGHT = 11.5  # points: the least distance of two labels at line ends

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """Means and intervals of a treatment from n = 0 on, NaN where there is no network; `x` is n and a shift."""

    x: Floats
    mean: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class End:
    """A name to be written to the right of a line's last point."""

    x: float
    y: float
    name: str
    colour: str


def paired_line(
    summary: pd.DataFrame, treatment: Treatment, shift: float = 0.0, layers: Sequence[str] = LAYERS
) -> Line:
    """The mean paired differences of a treatment in points, from a summary; the line starts at its bases' 0."""
    chosen = summary[summary["treatment"] == treatment].set_index("n")[["paired", "low", "high"]]
    n = np.arange(float(len(layers)))
    points = 100 * chosen.reindex(n).to_numpy(dtype=float)
    if treatment != "base":
        points[0] = 0
    return Line(n + np.where(n > 0, shift, 0), points[:, 0], points[:, 1], points[:, 2])


def plot_line(ax: Axes, line: Line, look: Mapping[str, Any], name: str) -> None:
    """Draw the means with the `look`, arguments of `Axes.plot`, joined over n without a network; intervals are bars.

    At n = 0 there is a marker for the bases themselves only.
    """
    there = np.isfinite(line.mean)
    marked = (line.x[there] > 0) | (name == "base")
    barred = np.isfinite(line.low) & (line.x > 0)
    ax.vlines(line.x[barred], line.low[barred], line.high[barred], color=look["color"], linewidth=EDGE_WIDTH, zorder=2)
    order = 4 if name == "base" else 3
    every = np.flatnonzero(marked).tolist()
    ax.plot(line.x[there], line.mean[there], gid=name, zorder=order, markevery=every, **look)


def dress_differences(ax: Axes, layers: Sequence[str]) -> None:
    """The axes of paired differences over n, with a dashed line at the bases' 0."""
    dress(ax, names=True, layers=layers)
    ax.plot([ax.get_xlim()[0], len(layers) - 0.87], [0, 0], zorder=1, **BASE_LINE)
    label(ax, f"n: number of layers copied, {layers[0]} up to the one named", "Paired difference to base (points)")


def end_of(line: Line, gap: float, name: str, colour: str) -> End | None:
    """The name `gap` to the right of the last chopped network there is; None when there is none."""
    there = np.flatnonzero(np.isfinite(line.mean))
    if not there.size or there[-1] == 0:
        return None
    return End(float(there[-1] + gap), float(line.mean[there[-1]]), name, colour)


def label_ends(ax: Axes, ends: Sequence[End | None], panel_height: float) -> None:
    """Write the names that there are; those that would touch are moved apart.

    `panel_height` is that of the Axes in inches, about: its limits must be final, its size need not be.
    """
    placed = sorted((end for end in ends if end is not None), key=lambda end: end.y)
    low, high = ax.get_ylim()
    gap = (high - low) * _LABEL_HEIGHT / (72 * panel_height)
    heights = apart(np.array([end.y for end in placed]), gap)
    for height, end in zip(heights, placed, strict=True):
        ax.text(end.x, height, end.name, fontsize=SMALL_SIZE, color=end.colour, va="center", **ON_LINES)


def apart(heights: Floats, gap: float) -> Floats:
    """Sorted heights moved apart as little as makes neighbours differ by `gap`; their order stays."""
    steps = gap * np.arange(len(heights))
    return np.asarray(isotonic_regression(heights - steps).x) + steps


def spread(chosen: pd.DataFrame, half_width: float) -> Floats:
    """Per network of one treatment: its place from -half_width to half_width among those with the same n."""
    chosen = chosen.reset_index(drop=True)
    groups = chosen.sort_values(["target", "split", "seed"]).groupby("n")
    rank = groups.cumcount().sort_index().to_numpy()
    count = chosen.groupby("n")["n"].transform("size").to_numpy()
    return np.where(count > 1, 2 * rank / np.maximum(count - 1, 1) - 1, 0.0) * half_width


FIGURE2: tuple[Treatment, ...] = ("base", "BnB", "BnB+", "AnB", "AnB+", "PnB", "PnB+")
RANDOM: tuple[Treatment, ...] = ("base", "AnB", "PnB", "RnB")

Measure = Literal["top1", "train_loss", "valid_loss"]
_LABELS: dict[Measure, str] = {
    "top1": "Validation top-1 accuracy (%)", "train_loss": "Training loss (nats)",
    "valid_loss": "Validation loss (nats)",
}  # fmt: skip


def plot_networks(
    ax: Axes, table: pd.DataFrame, treatments: Sequence[Treatment] = FIGURE2, measure: Measure = "top1"
) -> None:
    """Draw one marker per network: top-1 in percent over n (Figure 2, top), or a loss in nats.

    `table` comes from `results.tabulate`. Treatments stand side by side. Networks of one treatment are spread from
    left to right by target half, split and seed, so none hides another. Dashed: the mean of the bases.
    """
    scale = 100 if measure == "top1" else 1
    for treatment in treatments:
        chosen, look = table[table["treatment"] == treatment], STYLES[treatment].line(SMALL, joined=False)
        ax.plot(place_networks(chosen), scale * chosen[measure], gid=treatment, zorder=3, **look)
    if np.isfinite(mean := base_mean(table, measure)):
        ax.axhline(scale * mean, zorder=1, **BASE_LINE)
    dress(ax, names=False, layers=layers_of(table))
    label(ax, y=_LABELS[measure])


def place_networks(table: pd.DataFrame) -> pd.Series:
    """The x of every network, by row: n, the offset of its treatment, and its place among the same treatment and n."""
    x = table["n"].astype(float)
    for treatment, style in STYLES.items():
        chosen = table[table["treatment"] == treatment]
        x[chosen.index] += style.offset + spread(chosen, 0.04)
    return x


def select(table: pd.DataFrame, treatments: Sequence[Treatment]) -> pd.DataFrame:
    """The rows of these treatments. Raises UsageError when there is none."""
    chosen = table[table["treatment"].isin(list(treatments))]
    if chosen.empty:
        raise UsageError(f"the table has no network of {', '.join(treatments)}: train some with the sweep first.")
    return chosen


def treatments_in(table: pd.DataFrame) -> list[Treatment]:
    """The treatments that the table has networks of, in the order of TREATMENTS."""
    return [treatment for treatment in TREATMENTS if treatment in set(table["treatment"])]


def base_mean(table: pd.DataFrame, measure: Measure = "top1") -> float:
    """The mean top-1 (0..1), or loss (nats), of the base networks; NaN when there is none."""
    return float(table.loc[table["treatment"] == "base", measure].mean())
