"""Networks during training: the dip before and after annealing, and how fast copied layers let a network converge."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from course.figures.looks import ordered_look
from transferkit.errors import UsageError
from transferkit.figures.lines import End, end_of, label_ends, paired_line, plot_line, treatments_in
from transferkit.figures.picture import Picture, page
from transferkit.figures.readings import NOTEWORTHY
from transferkit.figures.style import BASE_LINE, INK, SMALL, STYLES, dress, key, label, tidy
from transferkit.figures.words import caption, listed
from transferkit.results import layers_of, summarise
from transferkit.treatments import TREATMENTS, Treatment

_MOMENTS = (0.25, 0.5, 0.75, 1.0)  # of training, for the dip
_DIPS: tuple[Treatment, ...] = ("BnB", "AnB")
_KEYS = ["split", "seed", "target", "epoch"]


def dip(log: pd.DataFrame, data: str, title: str = "The dip before and after annealing") -> Picture:
    """Mean paired differences of BnB and of AnB over n at four moments of training, darkest at the end.

    log: one row per network and epoch, with the columns of a run, `epoch`, `train_loss`, `valid_loss` and `top1`.
    Each network is compared with its own base at the same epoch. Raises UsageError without BnB and AnB or bases.
    """
    paired = _pair(log, _DIPS)
    last = int(paired["epoch"].max())
    epochs = sorted({max(1, round(last * part)) for part in _MOMENTS})
    said = f"{caption(_at(paired, last), data, _DIPS)}."
    sentences = [f"Mean paired differences in points, over n, at moments of training. {said}"]
    notes = [
        f"{said} Each is compared with its own target's base at the same epoch.",
        "Before the learning rate has come down, differences are of the speed of training, not of the features alone.",
    ]
    there = treatments_in(paired)
    figure = page(3.7 + 0.16 * len(notes), title, notes)
    panels = figure.subplots(1, len(there), sharey=True, squeeze=False)[0]
    drawn = [_draw_moments(ax, paired, treatment, epochs) for ax, treatment in zip(panels, there, strict=True)]
    for ax, ends, treatment in zip(panels, drawn, there, strict=True):
        label_ends(ax, ends, 2.4)
        means = 100 * paired[paired["treatment"] == treatment].groupby(["epoch", "n"])["paired"].mean()
        found = [f"{_lowest(means[epoch])} at epoch {epoch}" for epoch in epochs if epoch in means]
        if found:
            sentences.append(f"{treatment}, lowest mean over n: {listed(found)} of {last}.")
    label(panels[0], y="Paired difference to base (points)")
    return Picture(figure, " ".join(sentences))


def convergence(
    log: pd.DataFrame, data: str, n: int = 4, title: str = "Copied layers or a start from scratch, at equal images seen"
) -> Picture:
    """Top-1 and training loss of each treatment with n copied layers over the epochs, beside the bases.

    An epoch is one pass over the target's training images; those that trained the copied layers are not counted.
    log: as for `dip`. Raises UsageError when there are no networks with this n, or no bases.
    """
    bases, chopped = log[log["treatment"] == "base"], log[log["n"] == n]
    if bases.empty or chopped.empty:
        raise UsageError(f"the log needs bases and networks with n = {n}: train them, or choose another n.")
    rows = pd.concat([bases, chopped])
    there, last = treatments_in(rows), int(rows["epoch"].max())
    said = caption(_at(rows, last), data, there)
    notes = [
        f"{said}; lines are means. n = {n}.",
        "Images that trained the copied layers are not counted. Dashed: where the bases end.",
    ]
    figure = page(3.9 + 0.16 * len(notes), title, notes, key(there, np.nan), rows=2)
    panels = figure.subplots(1, 2)
    for ax, measure, scale in zip(panels, ("top1", "train_loss"), (100, 1), strict=True):
        means = _means(rows, measure) * scale
        for treatment in there:
            look = STYLES[treatment].line(SMALL, joined=True) | ({"linestyle": "-"} if treatment == "base" else {})
            ax.plot(means.index, means[treatment], gid=treatment, **look)
        ax.axhline(means["base"].iloc[-1], zorder=1, **BASE_LINE)
        ax.set_xticks(range(0, last + 1, max(1, last // 6)))
        ax.grid(axis="y", color="#ebebeb", linewidth=0.6)
        tidy(ax)
    label(panels[0], "Epochs of the target's images", "Validation top-1 accuracy (%)")
    label(panels[1], "Epochs of the target's images", "Training loss (nats)")
    opening = f"Top-1 and training loss over {last} epochs, with n = {n} copied layers and from scratch."
    return Picture(figure, f"{opening} {said}. {_reached(100 * _means(rows, 'top1'))}")


def _reached(means: pd.DataFrame) -> str:
    """Where the top-1 of each treatment, a column in percent by epoch, begins and ends, and when it is that of base."""
    goal = means["base"].iloc[-1]
    sentences = [f"The bases go from {means['base'].iloc[0]:.1f} to {goal:.1f} %."]
    for treatment in [name for name in TREATMENTS[1:] if name in means]:
        reached = means.index[means[treatment] >= goal]
        when = f"reaches the bases' end at epoch {reached[0]}" if len(reached) else "does not reach the bases' end"
        ends = means[treatment].iloc[[0, -1]]
        sentences.append(f"{treatment} goes from {ends.iloc[0]:.1f} to {ends.iloc[1]:.1f} % and {when}.")
    return " ".join(sentences)


def _pair(log: pd.DataFrame, treatments: Sequence[Treatment]) -> pd.DataFrame:
    """The rows of these treatments, each with its difference to its own base at the same epoch."""
    bases = log.loc[log["treatment"] == "base", [*_KEYS, "top1"]].rename(columns={"top1": "base"})
    rows = log[log["treatment"].isin(list(treatments))].drop(columns="paired", errors="ignore")
    merged = rows.merge(bases, on=_KEYS, how="inner", validate="many_to_one")
    if merged.empty:
        raise UsageError(f"the log has no epochs of {' or '.join(treatments)} with those of their bases: train both.")
    return merged.assign(paired=merged["top1"] - merged["base"])


def _at(rows: pd.DataFrame, epoch: int) -> pd.DataFrame:
    return rows[rows["epoch"] == epoch]


def _means(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    return rows.pivot_table(index="epoch", columns="treatment", values=measure, aggfunc="mean")


def _lowest(means: pd.Series) -> str:
    """The lowest of the means by n, in points, and where it is, if it is a dip."""
    return f"{means.min():+.1f}" + (f" (n = {means.idxmin()})" if means.min() <= -NOTEWORTHY else "")


def _draw_moments(ax: Axes, paired: pd.DataFrame, treatment: Treatment, epochs: Sequence[int]) -> list[End | None]:
    ends, layers = [], layers_of(paired)
    for place, epoch in enumerate(epochs):
        line = paired_line(summarise(_at(paired, epoch)), treatment, 0.04 * place, layers)
        plot_line(ax, line, ordered_look(place, len(epochs)), f"{treatment} at epoch {epoch}")
        ends.append(end_of(line, 0.35, f"epoch {epoch}", INK))
    dress(ax, names=False, layers=layers)
    ax.set_xlim(right=len(layers) + 1.3)
    ax.plot([-0.45, len(layers) - 0.7], [0, 0], zorder=1, **BASE_LINE)
    label(ax, "n: number of layers copied", title=f"{treatment}: {STYLES[treatment].meaning}")
    return ends
