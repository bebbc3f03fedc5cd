"""First layers of other origin: what a network loses when the filters of conv1 have other shapes."""

from collections.abc import Mapping
from typing import Any, cast

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from transferkit.errors import UsageError
from transferkit.figures.lines import spread
from transferkit.figures.picture import Picture, page
from transferkit.figures.style import BASE_LINE, INK, LARGE, LINE_WIDTH, QUIET, SMALL_SIZE, label, round_ticks, tidy
from transferkit.figures.words import caption
from transferkit.results import summarise
from transferkit.treatments import MADE, Treatment

ORIGINS: Mapping[Treatment, str] = {
    "BnB": "the own half's base",
    "AnB": "the other half's base",
    **{cast(Treatment, f"{letter}nB"): meaning for letter, meaning in MADE.items()},
    "RnB": "random, after He et al.",
}
_LOOKS: Mapping[str, dict[str, Any]] = {
    "frozen": {"marker": "o", "color": INK, "markerfacecolor": INK},
    "fine-tuned": {"marker": "o", "color": QUIET, "markerfacecolor": "white"},
}
_APART = 0.17  # of a row: frozen above its middle, fine-tuned below


def made(tables: Mapping[str, pd.DataFrame], title: str = "What is conv1 made of?") -> Picture:
    """Paired differences of networks whose conv1 comes from elsewhere, by origin; a panel per data set.

    `tables`, by name of the data, are rows from `results.tabulate`, of which those with n = 1 are shown. Points are
    networks, the larger ones means with their 95 % intervals. Raises UsageError when no table has such a network.
    """
    chosen = {data: rows for data, table in tables.items() if len(rows := _of_conv1(table))}
    if not chosen:
        raise UsageError("no table has a conv1 of other origin: train some, for instance F1B, G1B and W1B.")
    notes = [f"{caption(rows, data, tuple(rows['treatment'].unique()))}." for data, rows in chosen.items()]
    notes += ["Small markers: single networks. Large ones: their means, with 95 % intervals over splits."]
    entries = [Line2D([], [], label=fate, linestyle="none", markersize=LARGE, **look) for fate, look in _LOOKS.items()]
    figure = page(4.2 + 0.16 * len(notes), title, notes, entries)
    panels = figure.subplots(1, len(chosen), sharey=True, squeeze=False)[0]
    sentences = ["Paired differences of networks by the origin of conv1's filters, frozen and fine-tuned."]
    for ax, (data, rows) in zip(panels, chosen.items(), strict=True):
        summary = summarise(rows)
        _draw(ax, rows, summary)
        label(ax, "paired difference to base (points)", title=data)
        sentences += [_in_words(data, summary)]
    panels[0].set_yticks(range(len(ORIGINS)), [f"{name[0]}  {origin}" for name, origin in ORIGINS.items()])
    panels[0].invert_yaxis()
    return Picture(figure, " ".join([*sentences, *notes]))


def _of_conv1(table: pd.DataFrame) -> pd.DataFrame:
    origin = table["treatment"].str.rstrip("+")
    rows: pd.DataFrame = table[(table["n"] == 1) & origin.isin(list(ORIGINS)) & table["paired"].notna()]
    return rows if origin.isin([f"{letter}nB" for letter in MADE]).any() else rows[:0]


def _draw(ax: Axes, rows: pd.DataFrame, summary: pd.DataFrame) -> None:
    for row, origin in enumerate(ORIGINS):
        for (fate, look), treatment, side in zip(_LOOKS.items(), (origin, f"{origin}+"), (-1, 1), strict=True):
            y = row + side * _APART
            own = rows[rows["treatment"] == treatment]
            ax.plot(
                100 * own["paired"], y + spread(own, 0.4 * _APART), linestyle="none", markersize=2.5, alpha=0.5,
                gid=f"{treatment} networks", **look,
            )  # fmt: skip
            for _, cell in summary[summary["treatment"] == treatment].iterrows():
                ax.plot([100 * cell["low"], 100 * cell["high"]], [y, y], color=look["color"], linewidth=LINE_WIDTH)
                ax.plot(100 * cell["paired"], y, markersize=LARGE, gid=f"{treatment} {fate}", zorder=3, **look)
    ax.axvline(0, zorder=1, **BASE_LINE)
    ax.xaxis.set_major_locator(round_ticks())
    tidy(ax)
    ax.tick_params(axis="y", length=0, labelsize=SMALL_SIZE)


def _in_words(data: str, summary: pd.DataFrame) -> str:
    means = [f"{row['treatment']} {100 * row['paired']:+.1f}" for _, row in summary.iterrows()]
    return f"On {data}, in points: {', '.join(means)}."
