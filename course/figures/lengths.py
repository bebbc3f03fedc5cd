"""The length of training as a dial: transfer over the number of epochs, and what one would have concluded at each."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from course.figures.ledger import SIGNS
from transferkit.errors import UsageError
from transferkit.figures.lines import End, label_ends, treatments_in
from transferkit.figures.picture import Picture, page
from transferkit.figures.style import BASE_LINE, INK, LARGE, QUIET, SMALL_SIZE, STYLES, key, label, round_ticks, tidy
from transferkit.figures.words import caption, interval_note, listed
from transferkit.results import summarise
from transferkit.treatments import Treatment

_SHOWN: tuple[Treatment, ...] = ("BnB", "BnB+", "AnB", "AnB+")
_PANELS = (1, 3, 5, 7)  # chop points
_ROW, _SENTENCE = 0.38, 56  # inches: the height of a claim; characters: its width
_NAMES = 0.56  # of the panel's width, for the claims


def lengths(
    table: pd.DataFrame, verdicts: pd.DataFrame, data: str, title: str = "What would you have concluded?"
) -> Picture:
    """Above, mean paired differences over the epochs, a panel per n; below, the verdict on each claim by length.

    `table`: the evidence's networks after several numbers of epochs. `verdicts`: from `claims.judge_by_length`. Raises
    UsageError for fewer than two lengths of training.
    """
    rows = table[table["paired"].notna() & table["treatment"].isin(["base", *_SHOWN])]
    lasted = sorted(rows["epochs"].unique())
    if len(lasted) < 2:
        raise UsageError("the table has networks of one length of training only: run the series 'lengths'.")
    points = [n for n in _PANELS if n in set(rows["n"])]
    one = rows[rows["epochs"] == lasted[-1]]
    said = f"{caption(one, data, _SHOWN)}, after each number of epochs."
    notes = [f"{said} Lines are means. {interval_note(one)}", "Each is compared with a base trained for as long."]
    claims = list(dict.fromkeys(verdicts["sentence"]))
    below = _ROW * (len(claims) + 1.3)
    signs = [Line2D([], [], label=word, **_sign(word)) for word in SIGNS]
    entries = [*key(treatments_in(rows[rows["n"] > 0]), np.nan), *signs]
    figure = page(3.3 + below + 0.16 * len(notes), title, notes, entries, rows=2)
    places = figure.add_gridspec(2, len(points), height_ratios=(3.3, below))
    panels: list[Axes] = []
    for column in range(len(points)):
        panels.append(figure.add_subplot(places[0, column], sharey=panels[0] if panels else None))
        panels[-1].tick_params(labelleft=not column)
    sentences = [f"Mean paired differences in points over the epochs of training, a panel per n. {said}"]
    ends = []
    for ax, n in zip(panels, points, strict=True):
        at_n, told = _draw(ax, rows[rows["n"] == n], lasted)
        ends.append(at_n)
        sentences += told
        label(ax, title=f"n = {n}")
    for ax, at_n in zip(panels, ends, strict=True):  # once the limits that they share are final
        label_ends(ax, at_n, 2.4)
    label(panels[0], "Epochs of training", "Paired difference to base (points)")
    bases = 100 * rows[rows["treatment"] == "base"].groupby("epochs")["top1"].mean()
    _tell(figure.add_subplot(places[1, :]), verdicts, claims, bases)
    sentences.append(
        "Bases: " + listed([f"{top1:.1f} % after {epochs}" for epochs, top1 in bases.items()]) + " epochs."
    )
    for claim in claims:
        judged = verdicts[verdicts["sentence"] == claim]
        sentences.append(
            f"{claim} {listed([f'{one.verdict} after {one.epochs}' for one in judged.itertuples()])} epochs."
        )
    return Picture(figure, " ".join(sentences))


def _draw(ax: Axes, rows: pd.DataFrame, lasted: Sequence[int]) -> tuple[list[End], list[str]]:
    sentences, ends = [], []
    for treatment in [name for name in _SHOWN if name in set(rows["treatment"])]:
        parts = [summarise(chosen).assign(epochs=epochs) for epochs, chosen in rows.groupby("epochs")]
        line = pd.concat(parts).query("treatment == @treatment").set_index("epochs")
        means = 100 * line["paired"]
        ax.plot(means.index, means, gid=treatment, zorder=3, **STYLES[treatment].line(0.8 * LARGE, joined=True))
        ax.vlines(means.index, 100 * line["low"], 100 * line["high"], color=STYLES[treatment].edge, linewidth=1.0)
        ends.append(End(lasted[-1] * 1.25, float(means.iloc[-1]), treatment, STYLES[treatment].edge))
        told = listed([f"{mean:+.1f} after {epochs}" for epochs, mean in means.items()])
        sentences.append(f"n = {rows['n'].iloc[0]}, {treatment}: {told} epochs.")
    ax.set_xscale("log", base=2)
    ax.set_xlim(lasted[0] / 1.3, lasted[-1] * 3.6)
    ax.set_xticks(lasted, [str(epochs) for epochs in lasted])
    ax.minorticks_off()
    ax.axhline(0, zorder=1, **BASE_LINE)
    ax.yaxis.set_major_locator(round_ticks())
    tidy(ax)
    return ends, sentences


def _tell(ax: Axes, verdicts: pd.DataFrame, claims: Sequence[str], bases: pd.Series) -> None:
    """A row per claim and a column per length, with the verdict's sign and the estimate; above, the bases' top-1."""
    step = (1 - _NAMES) / len(bases)
    columns = {epochs: _NAMES + step * place for place, epochs in enumerate(bases.index)}
    small: dict[str, Any] = {"fontsize": SMALL_SIZE, "color": INK, "va": "center"}
    words = [(0.0, -1.1, "Verdict and estimate after so many epochs,\nand the top-1 of the bases then", QUIET)]
    words += [(x, -1.1, f"{epochs}\n{bases[epochs]:.0f} %", QUIET) for epochs, x in columns.items()]
    for row, claim in enumerate(claims):
        words.append((0.0, row, textwrap.fill(claim, _SENTENCE), INK))
        ax.axhline(row - 0.5, color="#ebebeb", linewidth=0.6, zorder=0)
        for one in verdicts[verdicts["sentence"] == claim].itertuples():
            ax.plot(columns[one.epochs] + 0.012, row, clip_on=False, **_sign(str(one.verdict)))
            words.append((columns[one.epochs] + 0.03, row, f"{one.estimate:+.1f}", SIGNS[str(one.verdict)].colour))
    for x, y, text, colour in words:
        ax.text(x, y, text, **small | {"color": colour}).set_in_layout(False)
    ax.set(xlim=(0, 1), ylim=(len(claims) - 0.4, -1.7))
    ax.set_axis_off()


def _sign(verdict: str) -> dict[str, Any]:
    sign = SIGNS[verdict]
    return {
        "marker": sign.marker, "color": sign.colour, "markerfacecolor": "none", "markersize": 5, "linestyle": "none"
    }  # fmt: skip
