"""The tables that claims are tested on, and a control in which nothing depends on the treatment."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd

from course.evidence.authors import authors_table
from transferkit.errors import DataError
from transferkit.results import layers_of, pair, refuse_incomplete, refuse_mixed
from transferkit.splits import is_of_kind

SERIES = ("similar", "dissimilar", "apart", "sizes", "longer", "lengths", "plateau", "dial", "made", "made_dial")
TRAINED_AT_ALL = 2  # the last n at which the paper's networks with random filters left the plateau


@dataclass(frozen=True)
class Evidence:
    """One table for each series, as `collect.write_series` writes it; None where a series was not trained.

    All but the last four have `results.COLUMNS` and those of the setting (data, images_per_class, epochs,
    random_filters). similar: random splits. dissimilar: the natural split. apart: halves of the same kinds without
    a common photograph, and beside them random and natural splits. sizes: small target sets. longer: bases trained
    for longer. lengths: some of the similar networks after several numbers of epochs. plateau: random filters drawn
    in both ways. dial: splits with a set overlap. epochs: the similar networks by epoch. conv1: one row for each
    base, as `collect.conv1_row` makes it. pictures: networks of similar and lengths by the picture that classes come
    from, as `by_picture` measures them. after: ways of training found after 2014, as `after.table` writes them. Raises
    DataError unless all have the same data set, apart from the dial, and the same layers.
    """

    similar: pd.DataFrame | None = None
    dissimilar: pd.DataFrame | None = None
    apart: pd.DataFrame | None = None
    sizes: pd.DataFrame | None = None
    longer: pd.DataFrame | None = None
    lengths: pd.DataFrame | None = None
    plateau: pd.DataFrame | None = None
    dial: pd.DataFrame | None = None
    made: pd.DataFrame | None = None
    made_dial: pd.DataFrame | None = None
    epochs: pd.DataFrame | None = None
    conv1: pd.DataFrame | None = None
    pictures: pd.DataFrame | None = None
    after: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        given = {field.name: table for field in fields(self) if (table := getattr(self, field.name)) is not None}
        for name in SERIES:
            if name in given:
                refuse_incomplete(given[name])
            if name in given and name in ("similar", "dissimilar", "apart", "dial", "made", "made_dial"):
                refuse_mixed(given[name])
        refuse_strangers(given)


def refuse_strangers(tables: Mapping[str, pd.DataFrame]) -> None:
    """Raise DataError when these tables, named as in Evidence, have several data sets or several sets of layers.

    The dial and its rows of conv1 are on another data set on purpose. A table without a column data is not checked
    for it; one without a column layers has the paper's.
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
        both = " and ".join(f"{value} ({name})" for value, name in list(first.items())[:2])
        raise DataError(
            f"the evidence mixes the {what} {both}, whose differences would pass for those of treatments: give each "
            "a folder of its own (--out), or train all series on one."
        )


def on_dial(table: pd.DataFrame) -> pd.Series:
    """Which rows belong to the series `dial`."""
    return table["split"].map(is_on_dial).astype(bool)


def is_on_dial(split: str) -> bool:
    """Whether a split sets how much its halves have in common, as those of the series `dial` do."""
    return is_of_kind(str(split), "overlap")


def _main_data(table: pd.DataFrame) -> list[str]:
    return [str(name) for name in table.loc[~on_dial(table), "data"].unique()] if "data" in table else []


def read_evidence(folder: Path) -> Evidence:
    """The tables of the series in a folder: NAME.csv, similar-epochs.csv for `epochs`, by-picture.csv for `pictures`.

    Raises DataError for a missing base, a network that occurs twice, or mixed settings where they are not allowed.
    """
    names = {field.name: field.name for field in fields(Evidence)} | {
        "epochs": "similar-epochs",
        "pictures": "by-picture",
    }
    paths = {name: folder / f"{file}.csv" for name, file in names.items()}
    return Evidence(**{name: pd.read_csv(path) for name, path in paths.items() if path.exists()})


def authors_evidence() -> Evidence:
    """The authors' networks as evidence; of those with random filters, only the ones that left the plateau."""
    random = authors_table("figure3-random")
    trained = random[random["n"] <= TRAINED_AT_ALL]
    return Evidence(
        similar=authors_table("figure2"),
        dissimilar=pd.concat([authors_table("figure3-natural"), trained], ignore_index=True),
    )


def shuffled(table: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """The table with `top1` shuffled among all chopped networks and `paired` computed anew; bases keep theirs.

    Nothing then depends on n or on the treatment, so a claim that still holds would also hold for noise. The losses
    are not shuffled and no longer belong to the accuracies.
    """
    chopped = table["treatment"] != "base"
    dealt = np.random.default_rng(seed).permutation(table.loc[chopped, "top1"].to_numpy())
    mixed = table.copy()
    mixed.loc[chopped, "top1"] = dealt
    return pair(mixed)
