"""Top-1 against images per class, linear and log-log: the supplement of Yosinski et al. 2014."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FormatStrFormatter, NullFormatter

from transferkit.errors import UsageError
from transferkit.figures.picture import page
from transferkit.figures.plateau import CROSSED, on_plateau, plateau_note
from transferkit.figures.style import INK, LARGE, SMALL, SMALL_SIZE, STYLES, TEXT_SIZE, authors_key, faint
from transferkit.figures.words import listed, number

_LOOK = STYLES["base"].line(LARGE, joined=True) | {"linestyle": "-", "markerfacecolor": "#9a9a9a"}
_DASH = (0, (1, 1.4))


def draw_images_per_class(
    table: pd.DataFrame,
    data: str,
    title: str = "Accuracy against images per class",
    *,
    classes: int | None = None,
    authors: pd.DataFrame | None = None,
) -> Figure:
    """Base networks trained on the first so many images of each class: top-1 in percent, linear and log-log.

    `table`: rows as of `results.tabulate` with a column `images_per_class`; only base networks are drawn. `classes`
    lets it mark networks that never left the plateau; `authors`: as of `authors.authors_table("supplement")`.
    Raises UsageError when there is no base network with its number of images.
    """
    rows = _bases(table)
    notes = [_note(rows, data), plateau_note(rows, classes)]
    if authors is not None:
        notes.append("Dotted: the authors' networks, one per point, 1000 classes of ImageNet: another task and level.")
    entries = [Line2D([], [], label="base networks, mean", **_LOOK), *([authors_key()] if authors is not None else [])]
    figure = page(3.4 + 0.16 * len(notes), title, [note for note in notes if note], entries)
    for ax, logarithmic in zip(figure.subplots(1, 2), (False, True), strict=True):
        if authors is not None:
            _draw_means(ax, _bases(authors), faint(STYLES["base"]))
        _draw_means(ax, rows, _LOOK)
        small = _LOOK | {"markersize": SMALL - 1, "linestyle": "none", "alpha": 0.5}
        ax.plot(rows["images_per_class"], 100 * rows["top1"], gid="networks", **small)
        failed = rows[on_plateau(rows, classes)]
        ax.plot(failed["images_per_class"], 100 * failed["top1"], **CROSSED)
        _dress(ax, logarithmic=logarithmic)
    return figure


def describe_images_per_class(table: pd.DataFrame, data: str, *, classes: int | None = None) -> str:
    """Alternative text of the supplement's figure; arguments and errors as for `draw_images_per_class`."""
    rows = _bases(table)
    means = 100 * rows.groupby("images_per_class")["top1"].mean()
    points = [f"{top1:.1f} % with {images:.0f}" for images, top1 in means.items()]
    opening = f"Mean top-1 against images per class, linear and log-log: {listed(points)}."
    return " ".join(filter(None, [opening, _note(rows, data), plateau_note(rows, classes)]))


def _bases(table: pd.DataFrame) -> pd.DataFrame:
    if "images_per_class" not in table:
        raise UsageError("the table has no column images_per_class: tabulate receipts of networks on fewer images.")
    rows = table[(table["treatment"] == "base") & table["images_per_class"].notna()]
    if rows.empty:
        raise UsageError("the table has no base network with its images per class: train some on fewer images first.")
    return rows


def _draw_means(ax: Axes, rows: pd.DataFrame, look: dict[str, Any]) -> None:
    means = 100 * rows.groupby("images_per_class")["top1"].mean()
    ax.plot(means.index, means, gid="means", **look)


def _dress(ax: Axes, *, logarithmic: bool) -> None:
    if logarithmic:
        ax.set(xscale="log", yscale="log")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(FormatStrFormatter("%g"))
            axis.set_minor_formatter(NullFormatter())
    else:
        ax.set_xlim(left=0)
        ax.set_ylim(bottom=0)
    ax.set_title("both axes logarithmic" if logarithmic else "linear", loc="left", fontsize=TEXT_SIZE, color=INK)
    ax.set_xlabel("Training images per class", fontsize=TEXT_SIZE, color=INK)
    ax.set_ylabel("Top-1 accuracy (%)", fontsize=TEXT_SIZE, color=INK)
    ax.tick_params(labelsize=SMALL_SIZE, colors=INK, length=3, width=0.8)
    ax.grid(color="#e6e6e6", linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _note(rows: pd.DataFrame, data: str) -> str:
    counts = rows.groupby("images_per_class").size()
    most, fewest = counts.max(), counts.min()
    per_point = number(most, "network") if most == fewest else f"{fewest} to {most} networks"
    return f"{per_point} per point (small markers: each one); data {data}, {_splits(rows)}."


def _splits(rows: pd.DataFrame) -> str:
    names = sorted(set(rows["split"]))
    return f"split{'s' * (len(names) > 1)} {listed(names)}"
