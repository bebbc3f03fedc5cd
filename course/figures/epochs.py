"""Networks during training: the dip before and after annealing, and how fast copied layers let a network converge."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from transferkit.errors import UsageError
from transferkit.figures.lines import End, draw_line, end_of, label_ends, paired_line
from transferkit.figures.picture import page
from transferkit.figures.readings import NOTEWORTHY
from transferkit.figures.style import (
    BASE_LINE,
    INK,
    QUIET,
    SMALL,
    SMALL_SIZE,
    STYLES,
    TEXT_SIZE,
    dress,
    key,
    ordered_look,
)
from transferkit.figures.words import caption, listed
from transferkit.results import layers_of, summarise
from transferkit.treatments import TREATMENTS, Treatment

_MOMENTS = (0.25, 0.5, 0.75, 1.0)  # of training, for the dip
_DIPS: tuple[Treatment, ...] = ("BnB", "AnB")
_KEYS = ["split", "seed", "target", "epoch"]


def draw_dip(log: pd.DataFrame, data: str, title: str = "The dip before and after annealing") -> Figure:
    """Mean paired differences of BnB and of AnB over n at four moments of training, darkest at the end.

    log: one row per network and epoch, with the columns of a run, `epoch`, `train_loss`, `valid_loss` and `top1`;
    each network is compared with its own base at the same epoch. Raises UsageError without BnB and AnB or bases.
    """
    paired = _pair(log, _DIPS)
    last = int(paired["epoch"].max())
    epochs = _moments(last)
    notes = [
        f"{caption(_at(paired, last), data, _DIPS)}. Each is compared with its own target's base at the same epoch.",
        "Before the learning rate has come down, differences are of the speed of training, not of the features alone.",
    ]
    there = [name for name in _DIPS if name in set(paired["treatment"])]
    figure = page(3.7 + 0.16 * len(notes), title, notes)
    panels = figure.subplots(1, len(there), sharey=True, squeeze=False)[0]
    drawn = [_draw_moments(ax, paired, treatment, epochs) for ax, treatment in zip(panels, there, strict=True)]
    for ax, ends in zip(panels, drawn, strict=True):
        label_ends(ax, ends, 2.4)
    panels[0].set_ylabel("Paired difference to base (points)", fontsize=TEXT_SIZE, color=INK)
    return figure


def describe_dip(log: pd.DataFrame, data: str) -> str:
    """Alternative text of the dip; arguments and errors as for `draw_dip`."""
    paired = _pair(log, _DIPS)
    last = int(paired["epoch"].max())
    told = []
    for treatment in _DIPS:
        lows = [_lowest(_at(paired, epoch), treatment) for epoch in _moments(last)]
        found = [f"{low} at epoch {epoch}" for low, epoch in zip(lows, _moments(last), strict=True) if low]
        if found:
            told.append(f"{treatment}, lowest mean over n: {listed(found)} of {last}.")
    opening = "Mean paired differences in points, over n, at moments of training."
    return " ".join([opening, f"{caption(_at(paired, last), data, _DIPS)}.", *told])


def draw_convergence(
    log: pd.DataFrame, data: str, n: int = 4, title: str = "Copied layers or a start from scratch, at equal images seen"
) -> Figure:
    """Top-1 and training loss of each treatment with n copied layers over the epochs, beside the bases.

    An epoch is one pass over the target's training images; those that trained the copied layers are not counted.
    log: as for `draw_dip`. Raises UsageError when there are no networks with this n, or no bases.
    """
    rows = _chosen(log, n)
    there = [name for name in TREATMENTS if name in set(rows["treatment"])]
    last = int(rows["epoch"].max())
    notes = [
        f"{caption(_at(rows, last), data, tuple(there))}; lines are means. n = {n}.",
        "Images that trained the copied layers are not counted. Dashed: where the bases end.",
    ]
    figure = page(3.9 + 0.16 * len(notes), title, notes, key(there, np.nan), rows=2)
    accuracy, loss = figure.subplots(1, 2)
    for ax, measure, scale in ((accuracy, "top1", 100), (loss, "train_loss", 1)):
        means = _means(rows, measure) * scale
        for treatment in there:
            ax.plot(means.index, means[treatment], gid=treatment, **STYLES[treatment].line(SMALL, joined=True))
            if treatment == "base":
                ax.lines[-1].set(color=INK, linestyle="-")
        ax.axhline(means["base"].iloc[-1], zorder=1, **BASE_LINE)
        _dress_epochs(ax, last)
    accuracy.set_ylabel("Validation top-1 accuracy (%)", fontsize=TEXT_SIZE, color=INK)
    loss.set_ylabel("Training loss (nats)", fontsize=TEXT_SIZE, color=INK)
    return figure


def describe_convergence(log: pd.DataFrame, data: str, n: int = 4) -> str:
    """Alternative text of the convergence; arguments and errors as for `draw_convergence`."""
    rows = _chosen(log, n)
    means = 100 * _means(rows, "top1")
    goal = means["base"].iloc[-1]
    told = []
    for treatment in [name for name in TREATMENTS if name in means and name != "base"]:
        reached = means.index[means[treatment] >= goal]
        when = f"reaches the bases' end at epoch {reached[0]}" if len(reached) else "does not reach the bases' end"
        ends = means[treatment].iloc[[0, -1]]
        told.append(f"{treatment} goes from {ends.iloc[0]:.1f} to {ends.iloc[1]:.1f} % and {when}.")
    opening = f"Top-1 and training loss over {means.index[-1]} epochs, with n = {n} copied layers and from scratch."
    base = f"The bases go from {means['base'].iloc[0]:.1f} to {goal:.1f} %."
    treatments: tuple[Treatment, ...] = tuple(name for name in TREATMENTS if name in means)
    return " ".join([opening, f"{caption(_at(rows, int(means.index[-1])), data, treatments)}.", base, *told])


def _pair(log: pd.DataFrame, treatments: Sequence[Treatment]) -> pd.DataFrame:
    """The rows of these treatments, each with its difference to its own base at the same epoch."""
    bases = log.loc[log["treatment"] == "base", [*_KEYS, "top1"]].rename(columns={"top1": "base"})
    rows = log[log["treatment"].isin(list(treatments))].drop(columns="paired", errors="ignore")
    merged = rows.merge(bases, on=_KEYS, how="inner", validate="many_to_one")
    if merged.empty:
        raise UsageError(f"the log has no epochs of {' or '.join(treatments)} with those of their bases: train both.")
    return merged.assign(paired=merged["top1"] - merged["base"])


def _chosen(log: pd.DataFrame, n: int) -> pd.DataFrame:
    bases, chopped = log[log["treatment"] == "base"], log[log["n"] == n]
    if bases.empty or chopped.empty:
        raise UsageError(f"the log needs bases and networks with n = {n}: train them, or choose another n.")
    return pd.concat([bases, chopped])


def _moments(last: int) -> list[int]:
    return sorted({max(1, round(last * part)) for part in _MOMENTS})


def _at(rows: pd.DataFrame, epoch: int) -> pd.DataFrame:
    return rows[rows["epoch"] == epoch]


def _means(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    return rows.pivot_table(index="epoch", columns="treatment", values=measure, aggfunc="mean")


def _lowest(rows: pd.DataFrame, treatment: Treatment) -> str:
    means = 100 * rows[rows["treatment"] == treatment].groupby("n")["paired"].mean()
    if means.empty:
        return ""
    return f"{means.min():+.1f} (n = {means.idxmin()})" if means.min() <= -NOTEWORTHY else f"{means.min():+.1f}"


def _draw_moments(ax: Axes, paired: pd.DataFrame, treatment: Treatment, epochs: Sequence[int]) -> list[End | None]:
    ends, layers = [], layers_of(paired)
    for place, epoch in enumerate(epochs):
        line = paired_line(summarise(_at(paired, epoch)), treatment, 0.04 * place, layers)
        draw_line(ax, line, ordered_look(place, len(epochs)), f"{treatment} at epoch {epoch}")
        ends.append(end_of(line, 0.35, f"epoch {epoch}", INK))
    dress(ax, names=False, layers=layers)
    ax.set_xlim(right=len(layers) + 1.3)
    ax.plot([-0.45, len(layers) - 0.7], [0, 0], zorder=1, **BASE_LINE)
    ax.set_title(f"{treatment}: {STYLES[treatment].meaning}", loc="left", fontsize=TEXT_SIZE, color=INK)
    ax.set_xlabel("n: number of layers copied", fontsize=TEXT_SIZE, color=INK)
    return ends


def _dress_epochs(ax: Axes, last: int) -> None:
    ax.set_xticks(range(0, last + 1, max(1, last // 6)))
    ax.set_xlabel("Epochs of the target's images", fontsize=TEXT_SIZE, color=INK)
    ax.tick_params(labelsize=SMALL_SIZE, colors=INK, length=3, width=0.8)
    ax.grid(axis="y", color="#ebebeb", linewidth=0.6)
    for side in ("top", "right"):
        ax.spines[side].set_color(QUIET)
        ax.spines[side].set_visible(False)
