"""Tables of planted effects for the tests of the figures, and what they look for in a drawing."""

import math
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from transferkit.results import COLUMNS, pair
from transferkit.treatments import Run, grid, parse_run

EFFECT = {"base": 0.0, "BnB": -0.001, "BnB+": 0.002, "AnB": -0.016, "AnB+": 0.003, "RnB": -0.05}  # top-1 per layer
BASE = {"A": 0.71, "B": 0.70}
CLASSES = 40
GUESSING = math.log(CLASSES)


def table_of(*runs: Run, effect: Mapping[str, float] = EFFECT) -> pd.DataFrame:
    """A table like those of `results.tabulate`, in which each treatment changes top-1 by `effect` per layer copied."""
    generator = np.random.default_rng(0)
    rows = []
    for run in runs:
        top1 = BASE[run.target] + effect[run.treatment] * run.n + 0.001 * run.seed * generator.normal()
        rows.append(
            (run.label, run.treatment, run.split, run.seed, run.source, run.target, run.n, run.finetune,
             top1, np.nan, 1.0, 1.0, 1.0)
        )  # fmt: skip
    return pair(pd.DataFrame(rows, columns=list(COLUMNS)))


def some_runs(*labels: str) -> pd.DataFrame:
    """The networks of these labels, of split random0 and seed 0."""
    return table_of(*(parse_run(label, "random0", 0) for label in labels))


def grids(splits: Iterable[str], seeds: Iterable[int] = (0,), effect: Mapping[str, float] = EFFECT) -> pd.DataFrame:
    """Whole grids of these splits and seeds."""
    return table_of(*(run for split in splits for seed in seeds for run in grid(split, seed)), effect=effect)


def shift(table: pd.DataFrame, treatment: str, points: Mapping[int, float]) -> pd.DataFrame:
    """The table with the mean paired differences of a treatment set to these points, by n."""
    rows = table["treatment"] == treatment
    wanted = table["n"].map(points) / 100
    changed = rows & wanted.notna()
    return pair(table.assign(top1=table["top1"].where(~changed, table["top1"] - table["paired"] + wanted)))


def log_of(table: pd.DataFrame, epochs: int = 4) -> pd.DataFrame:
    """One row per network and epoch: top-1 rises evenly to its end, the training loss falls."""
    parts = [
        table.assign(epoch=epoch, top1=table["top1"] * epoch / epochs, train_loss=table["train_loss"] * epochs / epoch)
        for epoch in range(1, epochs + 1)
    ]
    return pd.concat(parts, ignore_index=True)


def both_splits() -> pd.DataFrame:
    return grids(["random0", "natural"])


def stuck(table: pd.DataFrame, n: int = 6) -> pd.DataFrame:
    """Random filters from n on never left the plateau."""
    failed = (table["treatment"] == "RnB") & (table["n"] >= n)
    return table.assign(train_loss=table["train_loss"].mask(failed, 0.999 * GUESSING))


def lines_called(ax: Axes, gid: str) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(np.asarray(x.get_xdata()), np.asarray(x.get_ydata())) for x in ax.lines if x.get_gid() == gid]
