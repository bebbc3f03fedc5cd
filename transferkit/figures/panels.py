"""Networks as markers, and how to choose them: the upper panel of Figure 2 of Yosinski et al. 2014 and its like."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from transferkit.errors import UsageError
from transferkit.figures.lines import spread
from transferkit.figures.style import BASE_LINE, INK, SMALL, STYLES, TEXT_SIZE, dress
from transferkit.results import layers_of
from transferkit.treatments import Treatment

FIGURE2: tuple[Treatment, ...] = ("base", "BnB", "BnB+", "AnB", "AnB+")
RANDOM: tuple[Treatment, ...] = ("base", "AnB", "RnB")

Measure = Literal["top1", "train_loss", "valid_loss"]
_LABELS: dict[Measure, str] = {
    "top1": "Validation top-1 accuracy (%)",
    "train_loss": "Training loss (nats)",
    "valid_loss": "Validation loss (nats)",
}


def plot_networks(
    ax: Axes, table: pd.DataFrame, treatments: Sequence[Treatment] = FIGURE2, measure: Measure = "top1"
) -> None:
    """Draw one marker per network: top-1 in percent over n (Figure 2, top), or a loss in nats.

    `table` is as of `results.tabulate`. Treatments stand side by side; within one, networks are spread from
    left to right by target half, split and seed, so none hides another. Dashed: the mean of the bases.
    """
    scale = 100 if measure == "top1" else 1
    for treatment in treatments:
        chosen = table[table["treatment"] == treatment]
        style = STYLES[treatment]
        ax.plot(
            place_networks(chosen), scale * chosen[measure], gid=treatment, zorder=3, **style.line(SMALL, joined=False)
        )
    if np.isfinite(mean := base_mean(table, measure)):
        ax.axhline(scale * mean, zorder=1, **BASE_LINE)
    dress(ax, names=False, layers=layers_of(table))
    ax.set_ylabel(_LABELS[measure], fontsize=TEXT_SIZE, color=INK)


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


def base_mean(table: pd.DataFrame, measure: Measure = "top1") -> float:
    """The mean top-1 (0..1), or loss (nats), of the base networks; NaN when there is none."""
    return float(table.loc[table["treatment"] == "base", measure].mean())
