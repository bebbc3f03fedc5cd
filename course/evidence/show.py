"""Tables that the commands show: the cost of the series, and the ledger with the authors' own beside it."""

from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd
from rich.table import Table

from course.evidence.sweeps import Cost

SMOKE = "smoke"  # the preset whose networks are trained for seconds, to see that everything runs
NO_CONCLUSION = (
    "There is no conclusion at the preset smoke: its networks are trained for seconds, only to see that everything "
    "runs. At quick it stands here."
)
_STYLES = {"holds": "green", "fails": "red", "undecided": "yellow", "no data": "dim", "not published": "dim"}
_BESIDE = ("estimate", "low", "high", "n", "verdict")


def series_table(costs: Mapping[str, Cost], workers: int) -> Table:
    """How many networks each series still has to train, and in how many minutes; no minutes without a probe."""
    table = Table(title="The series of the evidence", caption="a network that several series share is trained once")
    table.add_column("series")
    for heading in ("networks", "to train", f"minutes, {workers} at a time"):
        table.add_column(heading, justify="right")
    for name, cost in costs.items():
        minutes = "?" if np.isnan(cost.seconds) else f"{cost.seconds / 60:.1f}"
        table.add_row(name, str(cost.planned), str(cost.missing), "0" if not cost.missing else minutes)
    return table


def claims_table(ours: pd.DataFrame, authors: pd.DataFrame | None = None) -> Table:
    """The ledger for people to read: one row per claim, with estimate, 95 % interval and verdict."""
    shown = Table(
        title="The claims",
        show_lines=True,
        caption="estimate (95 % interval; n networks), verdict, further splits or seeds",
    )
    shown.add_column("claim", ratio=3, overflow="fold")
    shown.add_column("statistic", ratio=3, overflow="fold")
    shown.add_column("our networks", ratio=3, overflow="fold")
    if authors is not None:
        shown.add_column("the authors' networks", ratio=3, overflow="fold")
    for number, row in enumerate(ours.to_dict("records")):
        cells = [str(row["sentence"]), f"{row['statistic']} ({row['unit']})", _cell(row)]
        if authors is not None:
            cells.append(_cell(authors.iloc[number].to_dict()))
        shown.add_row(*cells)
    return shown


class Said(str):
    """A sentence that a notebook shows as it is, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def conclusion(shown: object, preset: str) -> object:
    """What is `shown` of one's own networks as a conclusion; at the preset smoke, a sentence instead."""
    return Said(NO_CONCLUSION) if preset == SMOKE else shown


def beside(ours: pd.DataFrame, authors: pd.DataFrame) -> pd.DataFrame:
    """Our ledger, and the authors' estimate, low, high, n and verdict in further columns `authors_...`."""
    theirs = authors[["claim", *_BESIDE]].rename(columns={name: f"authors_{name}" for name in _BESIDE})
    return ours.merge(theirs, on="claim", how="left", validate="one_to_one")


def further(count: float, over: str) -> str:
    """How many more splits, seeds or pictures, in words."""
    return f"{count:.0f} more {over.removesuffix('s') if round(count) == 1 else over}"


def _cell(row: Mapping[Hashable, object]) -> str:
    verdict, note = str(row["verdict"]), str(row["note"])
    said = [f"[{_STYLES[verdict]}]{verdict}[/]"]
    if row["n"]:
        low, high = float(str(row["low"])), float(str(row["high"]))
        interval = "" if np.isnan(low) else f"{low:+.2f} to {high:+.2f}; "
        said.insert(0, f"{float(str(row['estimate'])):+.2f} ({interval}n={row['n']})")
    more = float(str(row["more"]))
    if verdict == "undecided" and more > 0:
        said.append(
            "more than a thousand would not decide"
            if np.isinf(more)
            else f"{further(more, str(row['over']))} would decide, at even odds"
        )
    return "\n".join([", ".join(said), *([note] if note else [])])
