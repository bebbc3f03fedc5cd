"""Training loss beside accuracy: what a network loses by under-fitting, and what by features that do not serve."""

import math

import pandas as pd
from matplotlib.axes import Axes

from transferkit.errors import UsageError
from transferkit.figures.lines import base_mean, place_networks, plot_networks, select, treatments_in
from transferkit.figures.picture import Picture, page
from transferkit.figures.readings import NOTEWORTHY
from transferkit.figures.style import ON_LINES, QUIET, SMALL_SIZE, key, label
from transferkit.figures.words import CROSSED, caption, listed, on_plateau, plateau_note, sides
from transferkit.treatments import TREATMENTS, Treatment

_SLIGHT = 0.02  # nats: a smaller difference of mean training losses says nothing


def losses(
    table: pd.DataFrame,
    data: str,
    title: str = "What explains a dip: training loss beside accuracy",
    *,
    classes: int | None = None,
    treatments: tuple[Treatment, ...] = TREATMENTS,
) -> Picture:
    """The final training loss of every network above its top-1, over n.

    `table` comes from `results.tabulate`. A network below its base with a *higher* training loss is under-fitted; one
    with a training loss as low fits its training images and does not carry over to new ones. `classes` marks the
    loss of guessing. Raises UsageError for a table without networks or without `train_loss`.
    """
    if "train_loss" not in table or table["train_loss"].isna().all():
        raise UsageError(
            "the table has no training losses: tabulate receipts; of the published networks they are not known."
        )
    chosen = select(table, treatments)
    said, stuck, there = caption(chosen, data, treatments), plateau_note(chosen, classes), treatments_in(chosen)
    notes = [
        f"{said}. One marker per network{sides(chosen)}; dashed: mean of the bases.",
        "Less accurate, higher training loss: what is trained cannot fit even its training images (under-fitting). "
        "Less accurate at the same loss: it fits them, and does not carry over to new ones.",
        stuck,
    ]
    figure = page(6.3 + 0.16 * len(notes), title, notes, key(there, math.nan), rows=2)
    above, below = figure.subplots(2, 1, sharex=True)
    plot_networks(above, chosen, there, "train_loss")
    plot_networks(below, chosen, there)
    failed = chosen[on_plateau(chosen, classes)]
    x = place_networks(chosen)[failed.index]
    above.plot(x, failed["train_loss"], **CROSSED)
    below.plot(x, 100 * failed["top1"], **CROSSED)
    if len(failed):
        plot_guessing(above, classes)
    label(below, "n: number of layers copied")
    opening = "The training loss of every network, in nats, above its top-1 accuracy, over n."
    base = base_mean(chosen, "train_loss")
    sentences = [_told(chosen, name, base) for name in treatments if name != "base"]
    words = [opening, f"{said}.", f"Base networks: mean training loss {base:.2f}.", *sentences, stuck]
    return Picture(figure, " ".join(filter(None, words)))


def plot_guessing(ax: Axes, classes: int | None) -> None:
    """A dotted line at the training loss of guessing among `classes`, in nats, with its name; none without them."""
    if classes is not None:
        height = math.log(classes)
        ax.axhline(height, color=QUIET, linewidth=0.8, linestyle=":", zorder=1)
        across = ax.get_yaxis_transform()
        ax.annotate(
            f"ln {classes}: guessing", (0.01, height), xycoords=across, xytext=(0, 6), textcoords="offset points",
            fontsize=SMALL_SIZE, color=QUIET, va="bottom", **ON_LINES,
        )  # fmt: skip


def _told(table: pd.DataFrame, treatment: Treatment, base: float) -> str:
    """At which n a treatment loses accuracy, and whether it is under-fitted there."""
    rows = table[(table["treatment"] == treatment) & table["paired"].notna()]
    means = rows.groupby("n")[["paired", "train_loss"]].mean()
    worse = means[100 * means["paired"] <= -NOTEWORTHY]
    if means.empty:
        return ""
    if worse.empty:
        return f"{treatment} is nowhere {NOTEWORTHY:.0f} point below its base."
    under = worse[worse["train_loss"] > base + _SLIGHT].index
    over = worse[worse["train_loss"] <= base + _SLIGHT].index
    parts = [f"with a higher training loss at n = {listed(list(under))}"] if len(under) else []
    parts += [f"with one as low or lower at n = {listed(list(over))}"] if len(over) else []
    return f"{treatment} is below its base {' and '.join(parts)}."
