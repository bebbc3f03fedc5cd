"""The picture of a curve: accuracy against the number of layers that are used as given."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from course.practice.advice import Advice
from course.practice.features import ORIGINS
from course.practice.options import Answers
from transferkit.figures.picture import Picture, page
from transferkit.figures.style import INK, QUIET, label, round_ticks, tidy

LOOKS: Mapping[str, Mapping[str, Any]] = MappingProxyType({  # told apart by dashes and markers, too
    "P": {"color": "#00664b", "marker": "s", "linewidth": 2.2, "markersize": 6, "zorder": 4},
    "T": {"color": "#0072b2", "marker": "o", "linewidth": 1.1, "markersize": 4, "linestyle": "--", "zorder": 3},
    "V": {"color": "#a34700", "marker": "d", "linewidth": 1.1, "markersize": 4, "linestyle": ":", "zorder": 3},
    "R": {"color": QUIET, "marker": "x", "linewidth": 1.1, "markersize": 5, "linestyle": "-.", "zorder": 3},
})  # fmt: skip
FINE_TUNED: Mapping[str, Any] = MappingProxyType(
    {
        "color": "#00664b",
        "marker": "P",
        "markersize": 11,
        "markerfacecolor": "#bfe7db",
        "linestyle": "none",
        "zorder": 5,
    }
)
SCRATCH: Mapping[str, Any] = MappingProxyType({"color": INK, "linestyle": (0, (5, 3)), "linewidth": 1.2, "zorder": 2})
RING: Mapping[str, Any] = MappingProxyType(
    {"marker": "o", "color": INK, "linestyle": "none", "markersize": 19, "markerfacecolor": "none", "zorder": 6}
)
BAND = 0.14  # opacity of the range over folds


def draw(table: pd.DataFrame, answers: Answers, advice: Advice, source: str, layers: Sequence[str]) -> Picture:
    """Heads of every origin over n with their range over folds, fine-tuned networks, and a band for those from scratch.

    `table` is that of a `Curve`. A ring marks what is advised.
    """
    shown = table.assign(percent=100 * table["accuracy"])
    longest = shown.loc[shown["kind"] == "scratch", "epochs"].max()
    shown = shown[(shown["kind"] != "scratch") | (shown["epochs"] == longest)]
    note = _note(shown, source)
    figure = page(4.6, "How many layers of the given network?", [note], _entries(shown), rows=2)
    ax = figure.subplots()
    for origin in LOOKS:
        _line(ax, shown[(shown["origin"] == origin) & shown["option"].str.endswith("head")], LOOKS[origin])
    for _, rows in shown[shown["kind"] == "fine-tuned"].groupby("n"):
        _marker(ax, rows)
    _band(ax, shown[shown["kind"] == "scratch"]["percent"])
    ax.plot(*_place(shown, answers, advice), **RING)
    ax.set_xlim(0.5, len(layers) - 0.5)
    ax.set_xticks(range(1, len(layers)), [f"{n}\n{name}" for n, name in enumerate(layers[:-1], 1)])
    ax.yaxis.set_major_locator(round_ticks())
    tidy(ax)
    label(ax, "n: number of layers used as given, up to the one named", "Validated top-1 accuracy (%)")
    return Picture(figure, f"{_told(shown, answers, advice)} {note}")


def _line(ax: Axes, rows: pd.DataFrame, look: Mapping[str, Any]) -> None:
    if rows.empty:
        return
    by_n = rows.groupby("n")["percent"].agg(["mean", "min", "max"])
    ax.plot(by_n.index, by_n["mean"], **look)
    ax.fill_between(by_n.index, by_n["min"], by_n["max"], color=look["color"], alpha=BAND, linewidth=0)


def _marker(ax: Axes, rows: pd.DataFrame) -> None:
    n, percent = int(rows["n"].iloc[0]), rows["percent"]
    ax.vlines(n, percent.min(), percent.max(), color=FINE_TUNED["color"], linewidth=1.2, zorder=4)
    ax.plot(n, percent.mean(), **FINE_TUNED)


def _band(ax: Axes, percent: "pd.Series[float]") -> None:
    if len(percent):
        ax.axhline(float(percent.mean()), **SCRATCH)
        ax.axhspan(float(percent.min()), float(percent.max()), color=INK, alpha=0.08, linewidth=0, zorder=0)


def _place(shown: pd.DataFrame, answers: Answers, advice: Advice) -> tuple[float, float]:
    """Where the advised option stands: training from scratch, at the left end of its line."""
    choice = answers.options[advice.choice]
    height = float(shown.loc[shown["option"] == choice.label, "percent"].mean())
    return choice.n or 0.6, height


def _entries(shown: pd.DataFrame) -> list[Line2D]:
    heads = [it for it in LOOKS if ((shown["origin"] == it) & shown["option"].str.endswith("head")).any()]
    entries = [Line2D([], [], label=f"head: {ORIGINS[origin]}", **LOOKS[origin]) for origin in heads]  # type: ignore[index]
    if (shown["kind"] == "fine-tuned").any():
        entries.append(Line2D([], [], label="fine-tuned", **{**FINE_TUNED, "markersize": 8}))
    if (shown["kind"] == "scratch").any():
        entries.append(Line2D([], [], label="from scratch", **SCRATCH))
    return [*entries, Line2D([], [], label="advised", **{**RING, "markersize": 9})]


def _note(shown: pd.DataFrame, source: str) -> str:
    counts = shown.groupby("option")[["seed", "fold"]].apply(lambda rows: len(rows.drop_duplicates()))
    few, many = counts.min(), counts.max()
    folds = f"{few}" if few == many else f"{few} to {many}"
    epochs = shown.loc[shown["epochs"] > 0].groupby("kind")["epochs"].max()
    words = {"fine-tuned": "of fine-tuning", "scratch": "from scratch"}
    trained = [f"{epochs[kind]} epochs {fate}" for kind, fate in words.items() if kind in epochs]
    return (
        f"{source}. Means, and shaded or as bars the range, over {folds} folds, each validated on pictures that it did "
        f"not train on. A head is logistic regression on the features of layer n, averaged over their places."
        + (" T: those of the network from scratch." if (shown["origin"] == "T").any() else "")
        + (" V: of given weights, only mean and deviation of each tensor." if (shown["origin"] == "V").any() else "")
        + (f" {', '.join(trained)}." if trained else "")
    )


def _told(shown: pd.DataFrame, answers: Answers, advice: Advice) -> str:
    means = shown.groupby("option", sort=False)["percent"].mean()
    listed = ", ".join(f"{option} {percent:.1f}" for option, percent in means.items())
    advised = answers.options[advice.choice].label
    return f"Accuracy in percent of every option, by the number of layers used: {listed}. Advised: {advised}."
