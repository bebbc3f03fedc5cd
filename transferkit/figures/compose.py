"""Figure 2 and the random filters as whole figures, with their descriptions."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from transferkit.figures.means import plot_means
from transferkit.figures.page import page
from transferkit.figures.panels import FIGURE2, RANDOM, base_mean, plot_networks, select
from transferkit.figures.readings import NOTEWORTHY, absent, find_readings
from transferkit.figures.style import key
from transferkit.figures.words import authors_note, bases, caption, interval_note, listed, sides, trends
from transferkit.results import summarise
from transferkit.treatments import TREATMENTS, Treatment


def draw_figure2(
    table: pd.DataFrame,
    data: str,
    title: str = "How transferable are the features?",
    *,
    authors: pd.DataFrame | None = None,
) -> Figure:
    """Figure 2 of Yosinski et al. 2014: every network above, mean paired differences below; 7 inches wide.

    `table` is as of `results.tabulate` and may lack runs; `data` names the data set in the caption. Below, the
    paper's numbered readings stand where they hold, and `authors`, as of `authors.authors_table("figure2")`, lie
    underneath. Raises UsageError for a table without networks.
    """
    chosen = select(table, FIGURE2)
    notes = [
        f"{caption(table, data)}. Above, one marker per network{sides(chosen)}.",
        " ".join([*_reading_notes(chosen), interval_note(chosen)]),
        *authors_note(authors, FIGURE2),
    ]
    figure = page(7.1 + 0.16 * len(notes), title, notes, _entries(chosen), rows=2)
    above, below = figure.subplots(2, 1, height_ratios=(1, 1.05))
    plot_networks(above, table)
    plot_means(below, table, authors=authors)
    return figure


def describe_figure2(table: pd.DataFrame, data: str, *, authors: pd.DataFrame | None = None) -> str:
    """Alternative text of Figure 2: the bases' mean, then how each treatment's mean paired difference goes with n.

    Says which of the paper's readings hold. Raises UsageError for a table without networks.
    """
    opening = "Above, the accuracy of every network over n, the number of layers copied; below, means against base."
    told = [_describe(opening, table, data, FIGURE2), *_reading_words(select(table, FIGURE2))]
    return " ".join([*told, *authors_note(authors, FIGURE2)])


def draw_random(
    table: pd.DataFrame, data: str, title: str = "Random, untrained filters", *, authors: pd.DataFrame | None = None
) -> Figure:
    """Random frozen filters beside transferred ones (Figure 3, top right and bottom): means and networks, one panel.

    Arguments and errors as for `draw_figure2`.
    """
    chosen = select(table, RANDOM)
    notes = [
        f"{caption(table, data, RANDOM)}.",
        f"Small markers: single networks{sides(chosen)}. {interval_note(chosen)}",
        *authors_note(authors, RANDOM),
    ]
    figure = page(4.5 + 0.16 * len(notes), title, notes, _entries(chosen), rows=2)
    plot_means(figure.subplots(), table, RANDOM, networks=True, authors=authors)
    return figure


def describe_random(table: pd.DataFrame, data: str, *, authors: pd.DataFrame | None = None) -> str:
    """Alternative text of the figure of random, untrained filters; errors as for `describe_figure2`."""
    opening = "Networks on random, untrained filters and on transferred ones against base, over n, the layers copied."
    return " ".join([_describe(opening, table, data, RANDOM), *authors_note(authors, RANDOM)])


def _describe(opening: str, table: pd.DataFrame, data: str, treatments: Sequence[Treatment]) -> str:
    return " ".join([opening, f"{caption(table, data, treatments)}.", bases(table), *trends(table, treatments)])


def _entries(table: pd.DataFrame) -> list[Line2D]:
    there = set(table["treatment"])
    return key([treatment for treatment in TREATMENTS if treatment in there], base_mean(table))


def _reading_notes(table: pd.DataFrame) -> list[str]:
    summary = summarise(table[table["paired"].notna()])
    notes = []
    if find_readings(summary):
        notes.append(
            f"Numbers: the paper's readings, where means differ by {NOTEWORTHY:.0f} point or more "
            "and no interval reaches the other mean."
        )
    return notes + _gone(summary) + _twice_trained(summary)


def _reading_words(table: pd.DataFrame) -> list[str]:
    summary = summarise(table[table["paired"].notna()])
    held = [
        f"Reading {reading.number} of the paper ({reading.words}) holds at n = {listed(reading.at)}."
        for reading in find_readings(summary)
    ]
    return held + _gone(summary) + _twice_trained(summary)


def _gone(summary: pd.DataFrame) -> list[str]:
    numbers = absent(summary)
    if not numbers:
        return []
    return [f"Not seen in these networks: reading{'s' * (len(numbers) > 1)} {listed(numbers)} of the paper."]


def _twice_trained(summary: pd.DataFrame) -> list[str]:
    """A warning where reading 5 holds, but the selffer control gains as much."""
    at = [n for reading in find_readings(summary) if reading.number == 5 for n in reading.at]
    means = summary[summary["n"].isin(at)].pivot_table(index="n", columns="treatment", values="paired")
    if "BnB+" not in means or means[["BnB+", "AnB+"]].dropna().empty:
        return []
    both = 100 * means[["BnB+", "AnB+"]].dropna().mean()
    if both["AnB+"] - both["BnB+"] >= NOTEWORTHY:
        return []
    return [
        f"Where reading 5 holds, AnB+ gains {both['AnB+']:+.1f} points and its control BnB+ {both['BnB+']:+.1f}: "
        "no more than a second training gives."
    ]
