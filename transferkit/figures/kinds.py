"""The kinds of filters: how each looks in a figure, counted and put in words."""

from collections.abc import Mapping, Sized
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd

from transferkit.errors import UsageError
from transferkit.figures.style import INK
from transferkit.first_layer import KINDS
from transferkit.gabor import Kind


@dataclass(frozen=True)
class Look:
    """A kind's letter and name, the frame of its tiles and the fill of its bars: unlike in colour and in grey."""

    letter: str
    name: str
    edge: str
    dash: Any
    fill: str
    hatch: str
    ink: str


LOOKS: Mapping[Kind, Look] = MappingProxyType(
    {
        "gabor": Look("G", "Gabor", "#006d55", "-", "#006d55", "", "#ffffff"),
        "blob": Look("B", "colour blob", "#c2458c", (0, (1.3, 0.9)), "#eab9d4", "////", INK),
        "neither": Look("\N{EN DASH}", "neither", "#cfcfcf", "-", "#ffffff", "....", INK),
    }
)


def check_any(tables: Mapping[str, Sized]) -> None:
    """Raises UsageError when there is no network, or one of them has no filter."""
    if not tables:
        raise UsageError("there is no network to draw: give at least one, by its name.")
    for name, table in tables.items():
        if len(table) == 0:
            raise UsageError(f"{name} has no filters: give one row for each filter of its conv1.")


def count(table: pd.DataFrame, kind: Kind) -> int:
    """How many filters of this kind a table of `first_layer.fit_table` has."""
    return int((table["kind"] == kind).sum())


def told(table: pd.DataFrame) -> str:
    """The counts and shares of all kinds, in words."""
    counts = {kind: count(table, kind) for kind in KINDS}
    many = {kind: look.name + ("" if kind == "neither" or counts[kind] == 1 else "s") for kind, look in LOOKS.items()}
    return ", ".join(f"{counts[kind]} {many[kind]} ({100 * counts[kind] / len(table):.0f} %)" for kind in KINDS)
