"""The claims ledger as a forest plot: estimate and interval of every claim, ours and the authors', with its verdict."""

import textwrap
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.path import Path
from matplotlib.ticker import FixedLocator, FormatStrFormatter, NullLocator

from transferkit.errors import UsageError
from transferkit.figures.picture import PAGE_WIDTH, Picture, foot, head, page
from transferkit.figures.style import BAND, EDGE_WIDTH, INK, QUIET, SMALL_SIZE, label, tidy
from transferkit.figures.words import listed

_COLUMNS = {"claim", "estimate", "low", "high", "n", "verdict"}
_ROW, _AXIS = 0.46, 0.62  # inches: a claim, and the axis below all
_LEFT, _RIGHT = 0.43, 0.74  # of the page's width: where the axis begins and ends
_SENTENCE = 44  # characters
_STEPS = (-50, -10, -2, -1, 0, 1, 2, 10, 50)
_LINEAR = 2.0  # units: the axis is linear within, logarithmic beyond
_SHIFT = 0.21  # of a row: the authors' below ours
_MARGIN = "#d9d9d9"


@dataclass(frozen=True)
class Sign:
    """How a verdict is shown beside its word."""

    marker: Any
    colour: str


SIGNS: Mapping[str, Sign] = MappingProxyType(
    {
        "holds": Sign(Path([(-1, 0), (-0.3, -0.8), (1, 0.9)]), "#00527f"),
        "fails": Sign(
            Path.make_compound_path(Path([(-0.8, -0.8), (0.8, 0.8)]), Path([(-0.8, 0.8), (0.8, -0.8)])), "#a34700"
        ),
        "undecided": Sign("o", QUIET),
    }
)
_OURS: Mapping[str, Any] = {"marker": "s", "markersize": 4.5, "markerfacecolor": INK, "markeredgecolor": INK}
_THEIRS: Mapping[str, Any] = {"marker": "o", "markersize": 4.5, "markerfacecolor": "white", "markeredgecolor": QUIET}
_DOTS = (0, (1, 1.2))


def ledger(
    ledger: pd.DataFrame, authors: pd.DataFrame | None = None, title: str = "The claims, tested", *, data: str = ""
) -> Picture:
    """One row per claim: estimate and 95 % interval on an axis, the verdict as a sign and a word, and n networks.

    ledger: from `claims.ledger`, with the columns claim, estimate, low, high, n and verdict; sentence, unit and margin
    are shown where there are such columns. `authors`: the same of the authors' networks, drawn below ours. Raises
    UsageError for a ledger without claims or without these columns.
    """
    if missing := sorted(_COLUMNS - set(ledger.columns)):
        raise UsageError(f"the ledger has no column {listed(missing)}: take the table that `claims.ledger` gives.")
    if ledger.empty:
        raise UsageError("the ledger has no claims: take the table that `claims.ledger` gives.")
    ours, both = f"these networks{f' ({data})' if data else ''}", [ledger] if authors is None else [ledger, authors]
    notes = [
        f"Square: {ours}."
        + (" Circle, dotted: the authors' published networks." if authors is not None else "")
        + " Bar: 95 % interval. In brackets: the networks it rests on.",
        "In percentage points where no other unit is named; the axis is logarithmic beyond 2."
        + (" Grey: too small to matter." if "margin" in ledger else ""),
    ]
    entries = [Line2D([], [], linestyle="none", label=word, **_look(word)) for word in SIGNS]
    top, below = head(entries), foot(notes) + _AXIS
    height = top + below + _ROW * len(ledger)
    figure = page(height, title, notes, entries)
    figure.set_layout_engine("none")
    ax = figure.add_axes((_LEFT, below / height, _RIGHT - _LEFT, _ROW * len(ledger) / height))
    ax.set_ylim(len(ledger) - 0.5, -0.5)
    theirs = None if authors is None else authors.set_index("claim")
    for place, (_, row) in enumerate(ledger.iterrows()):
        _draw_claim(ax, place, row, alone=theirs is None)
        if theirs is not None and row["claim"] in theirs.index:
            _draw_estimate(ax, place + _SHIFT, theirs.loc[row["claim"]], ours=False)
    _dress(ax, both)
    sentences = [
        f"In {whose} {_verdicts(table)}" for whose, table in zip((ours, "the authors' networks"), both, strict=False)
    ]
    return Picture(figure, " ".join([f"{len(ledger)} claims with estimate, interval and verdict.", *sentences]))


def _look(verdict: str) -> dict[str, Any]:
    sign = SIGNS[verdict]
    fill = "white" if verdict == "undecided" else "none"
    return {
        "marker": sign.marker,
        "markersize": 6.5,
        "markerfacecolor": fill,
        "markeredgecolor": sign.colour,
        "markeredgewidth": 1.8,
    }


def _draw_claim(ax: Axes, place: int, row: pd.Series, *, alone: bool) -> None:
    """The sentence on the left, the band of what does not matter, and our estimate."""
    if place % 2 == 0:
        ax.axhspan(place - 0.5, place + 0.5, color=BAND, linewidth=0, zorder=0)
    unit = str(row.get("unit", "points"))
    sentence = _sentence(row) + (f" ({unit})" if unit not in ("points", "") else "")
    text = "\n".join(textwrap.wrap(sentence, _SENTENCE))
    left = -(_LEFT - 0.08 / PAGE_WIDTH) / (_RIGHT - _LEFT)
    ax.text(
        left, place, text, transform=ax.get_yaxis_transform(), va="center", fontsize=SMALL_SIZE, color=INK,
        linespacing=1.15, gid="sentence",
    )  # fmt: skip
    margin = row.get("margin", np.nan)
    if np.isfinite(margin) and np.isfinite(row["estimate"]):
        ax.add_patch(Rectangle((-margin, place - 0.42), 2 * margin, 0.84, color=_MARGIN, linewidth=0, zorder=0.5))
    _draw_estimate(ax, place if alone else place - _SHIFT, row, ours=True)


def _draw_estimate(ax: Axes, height: float, row: pd.Series, *, ours: bool) -> None:
    look, dash = (_OURS, "-") if ours else (_THEIRS, _DOTS)
    colour = INK if ours else QUIET
    if np.isfinite(row["estimate"]):
        if np.isfinite(row["low"]):
            ax.plot([row["low"], row["high"]], [height] * 2, color=colour, linestyle=dash, linewidth=1.6, zorder=2)
        ax.plot([row["estimate"]], [height], zorder=3, gid="ours" if ours else "authors", **look)
    across = ax.get_yaxis_transform()
    verdict = str(row["verdict"])
    if verdict in SIGNS:
        ax.plot([1.07], [height], transform=across, clip_on=False, gid=verdict, **_look(verdict))
    words = verdict + (f" ({int(row['n'])})" if row["n"] else "")
    ax.text(1.12, height, words, transform=across, va="center", fontsize=SMALL_SIZE, color=colour)


def _dress(ax: Axes, ledgers: list[pd.DataFrame]) -> None:
    values = np.concatenate([table[["estimate", "low", "high"]].to_numpy(dtype=float).ravel() for table in ledgers])
    reach = max(float(np.nanmax(np.abs(values), initial=0.0)) if np.isfinite(values).any() else 0.0, _LINEAR)
    low, high = min(float(np.nanmin(values, initial=0.0)), -1.0), max(float(np.nanmax(values, initial=0.0)), 1.0)
    if reach > 5 * _LINEAR:
        ax.set_xscale("symlog", linthresh=_LINEAR, linscale=0.8)
        ax.xaxis.set_major_locator(FixedLocator(_STEPS))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    ax.set_xlim(1.25 * low, 1.25 * high)
    ax.axvline(0, color=INK, linewidth=EDGE_WIDTH, zorder=1)
    ax.set_yticks([])
    tidy(ax, "left")
    label(ax, "Estimate")


def _sentence(row: pd.Series) -> str:
    return str(row.get("sentence", row["claim"])).rstrip(".")


def _verdicts(ledger: pd.DataFrame) -> str:
    """How many claims have each verdict, and which fail."""
    counts = Counter(map(str, ledger["verdict"]))
    counted = listed([f"{verdict}: {count}" for verdict, count in counts.most_common()])
    failing = "; ".join(_sentence(row) for _, row in ledger[ledger["verdict"] == "fails"].iterrows())
    return f"{counted}. Failing: {failing}." if failing else f"{counted}."
