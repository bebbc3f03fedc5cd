"""The tables that claims are tested on."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from course.evidence.authors import authors_table
from transferkit.errors import DataError
from transferkit.results import layers_of, refuse_incomplete, refuse_mixed

STUDIES = ("similar", "dissimilar", "apart", "sizes", "longer", "plateau", "dial")
TRAINED_AT_ALL = 2  # the last n whose published random filters did not leave the networks on the plateau


@dataclass(frozen=True)
class Evidence:
    """One table per study, each as its study writes it; None where that study was not done.

    All but the last two have the columns of `results.COLUMNS` and the setting's (data, images_per_class, epochs,
    random_filters). similar: random splits; dissimilar: the natural split; apart: halves of the same kinds without a
    common photograph, with random and natural splits beside; sizes: small target sets; longer: bases trained for
    longer; plateau: random filters drawn in both ways; dial: splits of a set overlap; epochs: the log of the similar
    networks by epoch; conv1: one row per base network, as `evidence.conv1_row` makes it. All are of one data set but
    the dial, and all of one kind of network, or DataError is raised.
    """

    similar: pd.DataFrame | None = None
    dissimilar: pd.DataFrame | None = None
    apart: pd.DataFrame | None = None
    sizes: pd.DataFrame | None = None
    longer: pd.DataFrame | None = None
    plateau: pd.DataFrame | None = None
    dial: pd.DataFrame | None = None
    epochs: pd.DataFrame | None = None
    conv1: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        given = {field.name: table for field in fields(self) if (table := getattr(self, field.name)) is not None}
        for name in STUDIES:
            if name in given:
                refuse_incomplete(given[name])
            if name in given and name in ("similar", "dissimilar", "apart", "dial"):
                refuse_mixed(given[name])
        refuse_strangers(given)


def refuse_strangers(tables: Mapping[str, pd.DataFrame]) -> None:
    """Raise DataError when these tables, by their names in Evidence, are of several data sets or kinds of networks.

    The dial, and its first layers in conv1, are on another data set on purpose. A table without the column data says
    nothing of it; one without the column layers is of the paper's, as everywhere.
    """
    _refuse_several("data sets", {name: _main_data(table) for name, table in tables.items()})
    layered = {name: table for name, table in tables.items() if len(table) and name != "conv1"}
    _refuse_several("layers", {name: [" ".join(layers_of(table))] for name, table in layered.items()})


def _refuse_several(what: str, found: Mapping[str, list[str]]) -> None:
    first: dict[str, str] = {}  # what is found, and the table in which it is found first
    for name, values in found.items():
        for value in values:
            first.setdefault(value, name)
    if len(first) > 1:
        told = " and ".join(f"{value} ({name})" for value, name in list(first.items())[:2])
        raise DataError(
            f"the evidence mixes the {what} {told}, whose differences would pass for those of treatments: give each "
            "a folder of its own (--out), or do all studies on one."
        )


def on_dial(table: pd.DataFrame) -> pd.Series:
    """Which rows are of the study `dial`."""
    return table["split"].map(is_on_dial).astype(bool)


def is_on_dial(split: str) -> bool:
    """Whether a split sets how much its halves have in common, as those of the study `dial` do."""
    return str(split).startswith("overlap-")


def _main_data(table: pd.DataFrame) -> list[str]:
    return [str(name) for name in table.loc[~on_dial(table), "data"].unique()] if "data" in table else []


def read_evidence(folder: Path) -> Evidence:
    """The tables that the studies left in a folder, as NAME.csv, `epochs` as similar-epochs.csv.

    Raises DataError for one with a missing base, a network twice, or settings mixed where they must not be.
    """
    names = {field.name: field.name for field in fields(Evidence)} | {"epochs": "similar-epochs"}
    paths = {name: folder / f"{file}.csv" for name, file in names.items()}
    return Evidence(**{name: pd.read_csv(path) for name, path in paths.items() if path.exists()})


def authors_evidence() -> Evidence:
    """The authors' networks as evidence. Of the random filters only those that left the plateau are taken."""
    random = authors_table("figure3-random")
    trained = random[random["n"] <= TRAINED_AT_ALL]
    return Evidence(
        similar=authors_table("figure2"),
        dissimilar=pd.concat([authors_table("figure3-natural"), trained], ignore_index=True),
    )
