"""One network in training: its loss and accuracy after every epoch so far, and the filters of conv1 as they are now."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from transferkit.disk.checkpoints import EpochLog
from transferkit.figures.first_layer import filter_grid
from transferkit.figures.picture import page
from transferkit.figures.style import BASE_LINE, INK, LINE_WIDTH, SMALL, SMALL_SIZE, TEXT_SIZE, round_ticks
from transferkit.figures.words import number
from transferkit.filters.tiles import is_coloured

_ROOM = 440  # pixels of the saved file for the filters
_TRAIN: dict[str, Any] = {
    "color": "#a34700",
    "linestyle": "-",
    "marker": "o",
    "markersize": SMALL,
    "linewidth": LINE_WIDTH,
}
_VALID: dict[str, Any] = {
    "color": "#00527f", "linestyle": (0, (4, 2)), "marker": "s", "markersize": SMALL, "markerfacecolor": "white",
    "linewidth": LINE_WIDTH,
}  # fmt: skip


def draw_training(log: Sequence[EpochLog], tiles: np.ndarray, epochs: int, n_classes: int, title: str) -> Figure:
    """Losses, validation accuracy and conv1 after so many of `epochs` epochs; 7 inches wide.

    log: what is done so far, empty before the first epoch; tiles: of `filters.filter_tiles`, filters x k x k x 3 in
    0..1. Dashed: what guessing among `n_classes` gives, the control for both panels.
    """
    notes = (f"Dashed: guessing among {n_classes} classes. Filters: each scaled by its own largest weight.",)
    figure = page(2.9, title, notes)
    loss, accuracy, filters = figure.subplots(1, 3, width_ratios=(1, 1, 1.05))
    x = [entry.epoch for entry in log]
    sparse = {"markevery": max(1, epochs // 12)}  # markers tell the lines apart, if they do not crowd
    loss.plot(x, [entry.train_loss for entry in log], gid="training loss", label="training", **_TRAIN | sparse)
    loss.plot(x, [entry.valid_loss for entry in log], gid="validation loss", label="validation", **_VALID | sparse)
    loss.set_ylim(0, 1.15 * math.log(n_classes))
    accuracy.plot(x, [100 * entry.top1 for entry in log], gid="top-1", label="validation", **_VALID | sparse)
    accuracy.set_ylim(0, 100)
    for ax, guessing, name in (
        (loss, math.log(n_classes), "Loss (nats)"),
        (accuracy, 100 / n_classes, "Top-1 accuracy (%)"),
    ):
        _dress(ax, epochs, guessing, name)
    loss.legend(loc="lower left", fontsize=SMALL_SIZE, labelcolor=INK, frameon=False)
    filters.imshow(filter_grid(tiles, _ROOM), interpolation="nearest")
    filters.set_axis_off()
    filters.set_title(f"conv1 after {number(len(log), 'epoch')}" if log else "conv1, untrained", **_HEADING)
    return figure


def describe_training(log: Sequence[EpochLog], tiles: np.ndarray, epochs: int, n_classes: int) -> str:
    """Alternative text of `draw_training`: where losses and accuracy began and stand, beside guessing."""
    coloured = int(is_coloured(tiles).sum())
    filters = f"conv1 has {len(tiles)} filters, of which {coloured} see colour rather than light and dark."
    guessing = f"Guessing among {n_classes} classes: {100 / n_classes:.1f} %, loss {math.log(n_classes):.2f}."
    if not log:
        return f"A network before training. {guessing} {filters}"
    first, last = log[0], log[-1]
    return (
        f"A network after {len(log)} of {number(epochs, 'epoch')}: validation accuracy {100 * first.top1:.1f} % after "
        f"the first and {100 * last.top1:.1f} % now, training loss {first.train_loss:.2f} and {last.train_loss:.2f}, "
        f"validation loss {first.valid_loss:.2f} and {last.valid_loss:.2f}. {guessing} {filters}"
    )


_HEADING: dict[str, Any] = {"loc": "left", "fontsize": TEXT_SIZE, "color": INK}


def _dress(ax: Axes, epochs: int, guessing: float, name: str) -> None:
    ax.axhline(guessing, zorder=1, **BASE_LINE)
    ax.set_xlim(0.5, epochs + 0.5)
    ax.xaxis.set_major_locator(round_ticks())
    ax.set_xlabel("Epochs", fontsize=TEXT_SIZE, color=INK)
    ax.set_title(name, **_HEADING)
    ax.tick_params(labelsize=SMALL_SIZE, colors=INK, length=3, width=0.8)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
