"""Top-1 against images per class, linear and log-log: the supplement of Yosinski et al. 2014."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FormatStrFormatter, NullFormatter

from transferkit.errors import UsageError
from transferkit.figures.picture import Picture, page
from transferkit.figures.style import LARGE, SMALL, STYLES, authors_key, faint, label, tidy
from transferkit.figures.words import CROSSED, listed, number, on_plateau, plateau_note

_LOOK = STYLES["base"].line(LARGE, joined=True) | {"linestyle": "-", "markerfacecolor": "#9a9a9a"}


def images_per_class(
    table: pd.DataFrame,
    data: str,
    title: str = "Accuracy against images per class",
    *,
    classes: int | None = None,
    authors: pd.DataFrame | None = None,
) -> Picture:
    """The supplement's figure: top-1 of base networks in percent over training images per class, linear and log-log.

    `table`: rows from `results.tabulate` with a column `images_per_class`; only base networks are drawn. `classes`
    lets it mark networks that never left the plateau. `authors` come from `authors.authors_table("supplement")`.
    Raises UsageError when there is no base network with its number of images.
    """
    rows, theirs = _bases(table), None if authors is None else _bases(authors)
    notes = [_note(rows, data), plateau_note(rows, classes)]
    if theirs is not None:
        notes.append("Dotted: the authors' networks, one per point, 1000 classes of ImageNet: another task and level.")
    entries = [Line2D([], [], label="base networks, mean", **_LOOK), *([] if theirs is None else [authors_key()])]
    figure = page(3.4 + 0.16 * len(notes), title, notes, entries)
    for ax, logarithmic in zip(figure.subplots(1, 2), (False, True), strict=True):
        if theirs is not None:
            _draw_means(ax, theirs, faint(STYLES["base"]))
        means = _draw_means(ax, rows, _LOOK)
        small = _LOOK | {"markersize": SMALL - 1, "linestyle": "none", "alpha": 0.5}
        ax.plot(rows["images_per_class"], 100 * rows["top1"], gid="networks", **small)
        failed = rows[on_plateau(rows, classes)]
        ax.plot(failed["images_per_class"], 100 * failed["top1"], **CROSSED)
        _dress(ax, logarithmic=logarithmic)
    points = listed([f"{top1:.1f} % with {images:.0f}" for images, top1 in means.items()])
    opening = f"Mean top-1 against images per class, linear and log-log: {points}."
    return Picture(figure, " ".join(filter(None, [opening, *notes])))


def _bases(table: pd.DataFrame) -> pd.DataFrame:
    if "images_per_class" not in table:
        raise UsageError("the table has no column images_per_class: tabulate receipts of networks on fewer images.")
    rows = table[(table["treatment"] == "base") & table["images_per_class"].notna()]
    if rows.empty:
        raise UsageError("the table has no base network with its images per class: train some on fewer images first.")
    return rows


def _draw_means(ax: Axes, rows: pd.DataFrame, look: dict[str, Any]) -> pd.Series:
    means = 100 * rows.groupby("images_per_class")["top1"].mean()
    ax.plot(means.index, means, gid="means", **look)
    return means


def _dress(ax: Axes, *, logarithmic: bool) -> None:
    if logarithmic:
        ax.set(xscale="log", yscale="log")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(FormatStrFormatter("%g"))
            axis.set_minor_formatter(NullFormatter())
    else:
        ax.set_xlim(left=0)
        ax.set_ylim(bottom=0)
    panel = "both axes logarithmic" if logarithmic else "linear"
    label(ax, "Training images per class", "Top-1 accuracy (%)", panel)
    tidy(ax)
    ax.grid(color="#e6e6e6", linewidth=0.6)
    ax.set_axisbelow(True)


def _note(rows: pd.DataFrame, data: str) -> str:
    counts = rows.groupby("images_per_class").size()
    most, fewest = counts.max(), counts.min()
    per_point = number(most, "network") if most == fewest else f"{fewest} to {most} networks"
    names = sorted(set(rows["split"]))
    splits = f"split{'s' * (len(names) > 1)} {listed(names)}"
    return f"{per_point} per point (small markers: each one); data {data}, {splits}."
