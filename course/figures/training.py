"""One network in training: its loss and accuracy after every epoch so far, and the filters of conv1 as they are now."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from course.figures.looks import FULL, HOLLOW
from transferkit.disk.checkpoints import EpochLog
from transferkit.figures.first_layer import colours, filter_grid
from transferkit.figures.picture import Picture, page
from transferkit.figures.style import BASE_LINE, LEGEND, SMALL, label, round_ticks, tidy
from transferkit.figures.words import number

_ROOM = 440  # pixels of the saved file for the filters


def training(log: Sequence[EpochLog], tiles: np.ndarray, epochs: int, n_classes: int, title: str) -> Picture:
    """One network in training: losses and validation accuracy so far, of `epochs` epochs, and its conv1.

    log: what is done so far, empty before the first epoch; tiles: from `tiles.filter_tiles`, filters x k x k x 3 in
    0..1. Dashed: what guessing among `n_classes` gives, the control for both panels.
    """
    notes = (f"Dashed: guessing among {n_classes} classes. Filters: each scaled by its own largest weight.",)
    figure = page(2.9, title, notes)
    loss, accuracy, filters = figure.subplots(1, 3, width_ratios=(1, 1, 1.05))
    x = [entry.epoch for entry in log]
    # markers tell the lines apart, if they do not crowd
    look: dict[str, Any] = {"markersize": SMALL, "markevery": max(1, epochs // 12)}
    loss.plot(x, [entry.train_loss for entry in log], gid="training loss", label="training", **FULL, **look)
    loss.plot(x, [entry.valid_loss for entry in log], gid="validation loss", label="validation", **HOLLOW, **look)
    loss.set_ylim(0, 1.15 * math.log(n_classes))
    accuracy.plot(x, [100 * entry.top1 for entry in log], gid="top-1", label="validation", **HOLLOW, **look)
    accuracy.set_ylim(0, 100)
    for ax, guessing, name in (
        (loss, math.log(n_classes), "Loss (nats)"),
        (accuracy, 100 / n_classes, "Top-1 accuracy (%)"),
    ):
        ax.axhline(guessing, zorder=1, **BASE_LINE)
        ax.set_xlim(0.5, epochs + 0.5)
        ax.xaxis.set_major_locator(round_ticks())
        label(ax, "Epochs", title=name)
        tidy(ax)
    loss.legend(loc="center right", **LEGEND)
    filters.imshow(filter_grid(tiles, _ROOM), interpolation="nearest")
    filters.set_axis_off()
    label(filters, title=f"conv1 after {number(len(log), 'epoch')}" if log else "conv1, untrained")
    control = f"Guessing among {n_classes} classes: {100 / n_classes:.1f} %, loss {math.log(n_classes):.2f}."
    return Picture(figure, f"{_progress(log, epochs)} {control} conv1 has {len(tiles)} filters, {colours(tiles)}.")


def _progress(log: Sequence[EpochLog], epochs: int) -> str:
    """Where losses and accuracy began and stand."""
    if not log:
        return "A network before training."
    first, last = log[0], log[-1]
    return (
        f"A network after {len(log)} of {number(epochs, 'epoch')}: validation accuracy {100 * first.top1:.1f} % after "
        f"the first and {100 * last.top1:.1f} % now, training loss {first.train_loss:.2f} and {last.train_loss:.2f}, "
        f"validation loss {first.valid_loss:.2f} and {last.valid_loss:.2f}."
    )
