"""Freeze or fine-tune, by the size of the target set: accuracy, and how far validation loss is above training loss."""

import pandas as pd
from matplotlib.axes import Axes

from transferkit.errors import UsageError
from transferkit.figures.lines import treatments_in
from transferkit.figures.picture import Picture, page
from transferkit.figures.style import BASE_LINE, LARGE, STYLES, key, label, tidy
from transferkit.figures.words import caption, listed
from transferkit.treatments import Treatment

_TREATMENTS: tuple[Treatment, ...] = ("base", "AnB", "AnB+")
_PANELS = 4  # sizes at most


def sizes(table: pd.DataFrame, data: str, title: str = "Freeze or fine-tune? By the size of the target set") -> Picture:
    """A column per number of target images per class: top-1 of AnB, AnB+ and base above, the gap of losses below.

    `table`: rows from `results.tabulate` with `images_per_class`. The gap is validation minus training loss: a large
    one is over-fitting. Raises UsageError when AnB, AnB+ or their images per class are missing, or for more than
    four sizes.
    """
    rows = _select(table)
    groups = list(rows.groupby("images_per_class"))
    # chop points are told apart by size, as the networks behind a point are of one size
    apart = rows.assign(n=rows["n"] + 100 * rows["images_per_class"].rank(method="dense").astype(int))
    said = f"{caption(apart, data, _TREATMENTS)}."
    notes = [
        f"{said} Lines are means; dashed: base on as many images.",
        "Below, validation minus training loss: the higher, the more a network over-fits.",
    ]
    opening = "Top-1 of frozen and fine-tuned transfer by size of the target set, and validation minus training loss."
    sentences = [opening, said]
    figure = page(5.0 + 0.16 * len(notes), title, notes, key(treatments_in(rows), float("nan")))
    panels = figure.subplots(2, len(groups), sharex=True, sharey="row", squeeze=False, height_ratios=(1.4, 1))
    for (above, below), (size, chosen) in zip(panels.T, groups, strict=True):
        means = _draw(above, chosen, 100 * chosen["top1"])
        _draw(below, chosen, chosen["valid_loss"] - chosen["train_loss"])
        label(above, title=f"{size:g} images per class")
        label(below, "n: layers copied")
        gains = [f"{gain:+.1f} at n = {n}" for n, gain in (means["AnB+"] - means["AnB"]).dropna().items()]
        sentences.append(f"With {size:g} images per class, AnB+ minus AnB in points: {listed(gains)}.")
    label(panels[0, 0], y="Top-1 accuracy (%)")
    label(panels[1, 0], y="Loss: validation\nminus training (nats)")
    return Picture(figure, " ".join(sentences))


def _select(table: pd.DataFrame) -> pd.DataFrame:
    if "images_per_class" not in table or not {"AnB", "AnB+"} <= set(table["treatment"]):
        raise UsageError("the table needs AnB and AnB+ with their images_per_class: run that study of the evidence.")
    rows = table[table["treatment"].isin(_TREATMENTS) & table["images_per_class"].notna()]
    both = [set(rows.loc[rows["treatment"] == name, "images_per_class"]) for name in ("AnB", "AnB+")]
    common = both[0] & both[1]
    if not 0 < len(common) <= _PANELS:
        raise UsageError(f"{len(common)} sizes of target sets have both AnB and AnB+: choose 1 to {_PANELS}.")
    return rows[rows["images_per_class"].isin(common)]


def _draw(ax: Axes, rows: pd.DataFrame, values: pd.Series) -> pd.Series:
    """Draw the means of `values`, one per row, over n, and return them by treatment and n."""
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
    tidy(ax)
    return means
