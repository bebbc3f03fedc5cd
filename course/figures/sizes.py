"""Freeze or fine-tune, by the size of the target set: accuracy, and how far validation loss is above training loss."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from transferkit.errors import UsageError
from transferkit.figures.picture import page
from transferkit.figures.style import BASE_LINE, INK, LARGE, SMALL_SIZE, STYLES, TEXT_SIZE, key
from transferkit.figures.words import caption, listed
from transferkit.treatments import TREATMENTS, Treatment

_TREATMENTS: tuple[Treatment, ...] = ("base", "AnB", "AnB+")
_PANELS = 4  # sizes at most


def draw_sizes(
    table: pd.DataFrame, data: str, title: str = "Freeze or fine-tune? By the size of the target set"
) -> Figure:
    """A column per number of target images per class: top-1 of AnB, AnB+ and base above, the gap of losses below.

    `table`: rows as of `results.tabulate` with `images_per_class`. The gap is validation minus training loss: a large
    one is over-fitting. Raises UsageError when AnB, AnB+ or their images per class are missing, or for more than
    four sizes.
    """
    rows, sizes = _select(table)
    notes = [
        f"{caption(rows.assign(n=_cells(rows)), data, _TREATMENTS)}. Lines are means; dashed: base on as many images.",
        "Below, validation minus training loss: the higher, the more a network over-fits.",
    ]
    there = [name for name in TREATMENTS if name in set(rows["treatment"])]
    entries = key(there, float("nan"))
    figure = page(5.0 + 0.16 * len(notes), title, notes, entries)
    panels = figure.subplots(2, len(sizes), sharex=True, sharey="row", squeeze=False, height_ratios=(1.4, 1))
    for column, size in enumerate(sizes):
        chosen = rows[rows["images_per_class"] == size]
        _draw(panels[0, column], chosen, 100 * chosen["top1"])
        _draw(panels[1, column], chosen, chosen["valid_loss"] - chosen["train_loss"])
        panels[0, column].set_title(f"{size:g} images per class", loc="left", fontsize=TEXT_SIZE, color=INK)
        panels[1, column].set_xlabel("n: layers copied", fontsize=TEXT_SIZE, color=INK)
    panels[0, 0].set_ylabel("Top-1 accuracy (%)", fontsize=TEXT_SIZE, color=INK)
    panels[1, 0].set_ylabel("Loss: validation\nminus training (nats)", fontsize=TEXT_SIZE, color=INK)
    return figure


def describe_sizes(table: pd.DataFrame, data: str) -> str:
    """Alternative text of the sizes: what fine-tuning gains over freezing; arguments and errors as of `draw_sizes`."""
    rows, sizes = _select(table)
    told = []
    for size in sizes:
        means = 100 * rows[rows["images_per_class"] == size].pivot_table(
            index="n", columns="treatment", values="top1", aggfunc="mean"
        )
        lead = (means["AnB+"] - means["AnB"]).dropna()
        gains = [f"{gain:+.1f} at n = {n}" for n, gain in lead.items()]
        told.append(f"With {size:g} images per class, AnB+ minus AnB in points: {listed(gains)}.")
    opening = "Top-1 of frozen and fine-tuned transfer by size of the target set, and validation minus training loss."
    return " ".join([opening, f"{caption(rows.assign(n=_cells(rows)), data, _TREATMENTS)}.", *told])


def _select(table: pd.DataFrame) -> tuple[pd.DataFrame, Sequence[float]]:
    if "images_per_class" not in table or not {"AnB", "AnB+"} <= set(table["treatment"]):
        raise UsageError("the table needs AnB and AnB+ with their images_per_class: run that study of the evidence.")
    rows = table[table["treatment"].isin(_TREATMENTS) & table["images_per_class"].notna()]
    both = [set(rows.loc[rows["treatment"] == name, "images_per_class"]) for name in ("AnB", "AnB+")]
    sizes = sorted(both[0] & both[1])
    if not 0 < len(sizes) <= _PANELS:
        raise UsageError(f"{len(sizes)} sizes of target sets have both AnB and AnB+: choose 1 to {_PANELS}.")
    return rows[rows["images_per_class"].isin(sizes)], sizes


def _cells(rows: pd.DataFrame) -> pd.Series:
    """Chop points told apart by size, as the networks behind a point are of one size."""
    return rows["n"] + 100 * rows["images_per_class"].rank(method="dense").astype(int)


def _draw(ax: Axes, rows: pd.DataFrame, values: pd.Series) -> None:
    means = values.groupby([rows["treatment"], rows["n"]]).mean()
    for treatment in _TREATMENTS[1:]:
        line = means[treatment]
        ax.plot(line.index, line, gid=treatment, zorder=3, **STYLES[treatment].line(0.85 * LARGE, joined=True))
    if "base" in means:
        ax.axhline(float(means["base"].iloc[0]), zorder=1, **BASE_LINE)
        ax.plot([0], [float(means["base"].iloc[0])], zorder=3, **STYLES["base"].line(0.85 * LARGE, joined=False))
    ax.grid(axis="y", color="#ebebeb", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_xticks(sorted({0, *rows["n"]}))
    ax.tick_params(labelsize=SMALL_SIZE, colors=INK, length=3, width=0.8)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
