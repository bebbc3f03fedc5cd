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
from matplotlib.path import Path
from matplotlib.ticker import FixedLocator, FormatStrFormatter, NullLocator

from transferkit.errors import UsageError
from transferkit.figures.picture import PAGE_WIDTH, Picture, foot, head, page
from transferkit.figures.style import EDGE_WIDTH, INK, QUIET, label, tidy
from transferkit.figures.words import listed

_COLUMNS = {"claim", "estimate", "low", "high", "n", "verdict"}
_TEXT_SIZE = 7.5  # points
_LINE, _GAP, _AXIS = 0.115, 0.07, 0.5  # inches: a line of a sentence, what parts two claims, the axis below all
_LEFT, _RIGHT = 0.475, 0.70  # of the page's width: where the axis begins and ends
_SENTENCE = 58  # characters
_STEPS = (-50, -10, -2, -1, 0, 1, 2, 10, 50)
_LINEAR = 2.0  # units: the axis is linear within, logarithmic beyond
_SHIFT = 0.035  # inches: ours above the middle of a row, the authors' below it
_MARGIN = "#d9d9d9"
_PLACES = (1.06, 1.65)  # of our verdicts and of the authors', in widths of the axis


@dataclass(frozen=True)
class Row:
    """A claim, or a question if `claim` is None, with the lines of its text; `middle` is in inches from the top."""

    text: str
    middle: float
    claim: Any = None


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
_OURS: Mapping[str, Any] = {"marker": "s", "markersize": 3.5, "markerfacecolor": INK, "markeredgecolor": INK}
_THEIRS: Mapping[str, Any] = {"marker": "o", "markersize": 3.5, "markerfacecolor": "white", "markeredgecolor": QUIET}
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
    measured = "margin" in ledger
    notes = [
        f"Square: {ours}."
        + (" Circle, dotted: the authors' published networks." if authors is not None else "")
        + " Bar: 95 % interval. In brackets: the networks it rests on. The axis is logarithmic beyond 2."
    ]
    if measured:
        notes.append(
            "All in one unit, the smallest difference that matters: 1 percentage point, unless a claim names another. "
            "Grey: too small to matter."
        )
    rows, tall = _rows(ledger)
    entries = [Line2D([], [], linestyle="none", label=word, **_look(word)) for word in SIGNS]
    top, below = head(entries), foot(notes) + _AXIS
    height = top + below + tall
    figure = page(height, title, notes, entries)
    figure.set_layout_engine("none")
    ax = figure.add_axes((_LEFT, below / height, _RIGHT - _LEFT, tall / height))
    ax.set_ylim(tall, 0)
    theirs = None if authors is None else authors.set_index("claim")
    for row in rows:
        _draw_text(ax, row)
        if row.claim is None:
            continue
        both_drawn = theirs is not None and row.claim["claim"] in theirs.index
        _draw_estimate(ax, row.middle - _SHIFT * both_drawn, _in_margins(row.claim), ours=True)
        _draw_verdict(ax, row.middle, row.claim, ours=True)
        if both_drawn:
            other = theirs.loc[row.claim["claim"]]  # type: ignore[union-attr]
            _draw_estimate(ax, row.middle + _SHIFT, _in_margins(other), ours=False)
            _draw_verdict(ax, row.middle, other, ours=False)
    for place, words in zip(_PLACES, ("ours", "the authors'") if theirs is not None else ("",), strict=False):
        ax.text(
            place + 0.06, -0.03, words, transform=ax.get_yaxis_transform(), va="bottom", fontsize=_TEXT_SIZE,
            color=INK, weight="bold",
        )  # fmt: skip
    if measured:
        ax.axvspan(-1, 1, color=_MARGIN, linewidth=0, zorder=0.5)
    shown = [row for table in both for _, row in table[table["claim"].isin(ledger["claim"])].iterrows()]
    _dress(ax, pd.DataFrame(map(_in_margins, shown)), measured)
    sentences = [
        f"In {whose} {_verdicts(table)}" for whose, table in zip((ours, "the authors' networks"), both, strict=False)
    ]
    return Picture(figure, " ".join([f"{len(ledger)} claims with estimate, interval and verdict.", *sentences]))


def _rows(ledger: pd.DataFrame) -> tuple[list[Row], float]:
    """The claims in their order, each question above its first, from the top down; and the inches that they take."""
    rows: list[Row] = []
    question, depth = "", 0.0
    for _, claim in ledger.iterrows():
        if (asked := str(claim.get("question", ""))) != question:
            question = asked
            rows.append(Row(asked, depth + (_LINE + 3 * _GAP) / 2))
            depth += _LINE + 3 * _GAP
        text = "\n".join(textwrap.wrap(_sentence(claim), _SENTENCE))
        tall = _LINE * (text.count("\n") + 1) + _GAP
        rows.append(Row(text, depth + tall / 2, claim))
        depth += tall
    return rows, depth


def _in_margins(claim: pd.Series) -> pd.Series:
    """A claim with estimate and interval as multiples of its margin, where it has one."""
    numbers = ["estimate", "low", "high"]
    margin = claim.get("margin", 1.0)
    scaled = claim.copy()
    scaled[numbers] = claim[numbers].astype(float) / (margin if np.isfinite(margin) and margin > 0 else 1.0)
    return scaled


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


def _draw_text(ax: Axes, row: Row) -> None:
    """A sentence, or a question, on the left."""
    left = -(_LEFT - 0.08 / PAGE_WIDTH) / (_RIGHT - _LEFT)
    asks = row.claim is None
    ax.text(
        left, row.middle, row.text, transform=ax.get_yaxis_transform(), va="center", fontsize=_TEXT_SIZE, color=INK,
        weight="bold" if asks else "normal", linespacing=1.05, gid="question" if asks else "sentence",
    )  # fmt: skip


def _draw_estimate(ax: Axes, height: float, row: pd.Series, *, ours: bool) -> None:
    look, dash = (_OURS, "-") if ours else (_THEIRS, _DOTS)
    colour = INK if ours else QUIET
    if np.isfinite(row["estimate"]):
        if np.isfinite(row["low"]):
            ax.plot([row["low"], row["high"]], [height] * 2, color=colour, linestyle=dash, linewidth=1.2, zorder=2)
        ax.plot([row["estimate"]], [height], zorder=3, gid="ours" if ours else "authors", **look)


def _draw_verdict(ax: Axes, height: float, row: pd.Series, *, ours: bool) -> None:
    across, verdict = ax.get_yaxis_transform(), str(row["verdict"])
    place, colour = (_PLACES[0], INK) if ours else (_PLACES[1], QUIET)
    if verdict in SIGNS:
        ax.plot([place], [height], transform=across, clip_on=False, gid=verdict, **_look(verdict) | {"markersize": 5})
    words = verdict + (f" ({int(row['n'])})" if row["n"] else "")
    ax.text(place + 0.06, height, words, transform=across, va="center", fontsize=_TEXT_SIZE - 0.5, color=colour)


def _dress(ax: Axes, drawn: pd.DataFrame, measured: bool) -> None:
    values = drawn[["estimate", "low", "high"]].to_numpy(dtype=float)
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
    label(ax, "Estimate (times what matters)" if measured else "Estimate")


def _sentence(row: pd.Series) -> str:
    return str(row.get("sentence", row["claim"])).rstrip(".")


def _verdicts(ledger: pd.DataFrame) -> str:
    """How many claims have each verdict, and which fail."""
    counts = Counter(map(str, ledger["verdict"]))
    counted = listed([f"{verdict}: {count}" for verdict, count in counts.most_common()])
    failing = "; ".join(_sentence(row) for _, row in ledger[ledger["verdict"] == "fails"].iterrows())
    return f"{counted}. Failing: {failing}." if failing else f"{counted}."
