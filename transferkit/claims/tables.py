"""The tables that claims are tested on."""

from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from transferkit.authors import authors_table
from transferkit.results import refuse_incomplete, refuse_mixed

TRAINED_AT_ALL = 2  # the last n whose published random filters did not leave the networks on the plateau


@dataclass(frozen=True)
class Evidence:
    """One table per study, each as its study writes it; None where that study was not done.

    All but the last two have the columns of `results.COLUMNS` and the setting's (data, images_per_class, epochs,
    random_filters). similar: random splits; dissimilar: the natural split; sizes: small target sets; longer: bases
    trained for longer; plateau: random filters drawn in both ways; dial: splits of a set overlap; epochs: the log of
    the similar networks by epoch; conv1: one row per base network, as `evidence.conv1_row` makes it.
    """

    similar: pd.DataFrame | None = None
    dissimilar: pd.DataFrame | None = None
    sizes: pd.DataFrame | None = None
    longer: pd.DataFrame | None = None
    plateau: pd.DataFrame | None = None
    dial: pd.DataFrame | None = None
    epochs: pd.DataFrame | None = None
    conv1: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        for name in ("similar", "dissimilar", "sizes", "longer", "plateau", "dial"):
            table = getattr(self, name)
            if table is not None:
                refuse_incomplete(table)
            if table is not None and name in ("similar", "dissimilar", "dial"):
                refuse_mixed(table)


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
