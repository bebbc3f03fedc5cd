"""What is known of first layers, written for people: the sheet and the film of each, and the table of kinds."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from rich.markup import escape
from rich.table import Column, Table

from course.figures.filter_sheet import filter_sheet
from course.looking.command import is_picture
from course.looking.film import film as film_of
from course.looking.first_layer import NamedFilters
from course.looking.kinds import count_kinds, fit_table
from transferkit.figures import Picture
from transferkit.gabor.fit import Each
from transferkit.gabor.tiles import filter_tiles, order_filters
from transferkit.report import finished, first_filters
from transferkit.training.study import Study
from transferkit.treatments import Run


def study_filters(study: Study, bases: Sequence[Run]) -> dict[str, NamedFilters]:
    """The first layer of the first of the bases of each half that are done, by label.

    Raises StoreError when there is none.
    """
    done = {receipt.run.label: receipt.run for receipt in reversed(finished(study, bases))}
    return {label: named_filters(study, done[label]) for label in sorted(done)}


def named_filters(study: Study, run: Run) -> NamedFilters:
    """The filters of a finished run's first layer, with their names."""
    layer = study.setting.net.first_filters.removesuffix(".weight")
    return NamedFilters(layer, first_filters(study, run), run.label)


def write_forming(study: Study, bases: Sequence[Run], folder: Path) -> Path:
    """Write how conv1 of the first of these bases that is done formed to `folder`, as NAME-forming.webp."""
    run = finished(study, bases)[0].run
    film = film_of(study.store.history(run, study.setting), f"conv1 of {run.label}")
    return film.save(folder / f"{run.label}-forming.webp")


def write_filters(networks: Mapping[str, NamedFilters], out: Path, each: Each = iter) -> dict[str, pd.DataFrame]:
    """Fit the filters of each network and write its sheet; the tables, with network, layer and channels in each row.

    A name `out` that ends as a picture's is the file; in any other, the folder, go NAME-filters.png, .svg and .pdf.
    """
    tables = {}
    for name, filters in networks.items():
        table = fit_table(filters.weights, each)
        sheet = sheet_of(filters.weights, table, f"{filters} of {name}")
        for path in [out] if is_picture(out) else [out / f"{name}-filters.{it}" for it in ("png", "svg", "pdf")]:
            sheet.save(path)
        tables[name] = table.assign(network=name, layer=filters.layer, channels=filters.channels)
    return tables


def sheet_of(weights: np.ndarray, table: pd.DataFrame, title: str) -> Picture:
    """The sheet of all filters, float filters x 3 x k x k, with their table of `fit_table`, alike ones together."""
    tiles = filter_tiles(weights)
    order = order_filters(tiles)
    return filter_sheet(tiles[order], table.iloc[order].reset_index(drop=True), title)


def shares_table(tables: Mapping[str, pd.DataFrame], layer: str = "the first layer") -> Table:
    """The number of filters of each network that are of each kind, and their median R2, from tables of `fit_table`."""
    found = {name: count_kinds(table) for name, table in tables.items()}
    kinds = list(dict.fromkeys(kind for counts in found.values() for kind in counts))
    headings = (Column(heading, justify="right") for heading in ("filters", *kinds, "R2"))
    network = Column("network", min_width=min(40, max(map(len, tables))))
    shown = Table(network, *headings, title=f"Filters of {escape(layer)}", caption="R2: the median of the fits")
    for name, table in tables.items():
        cells, r2 = (str(found[name].get(kind, "")) for kind in kinds), table["r2"].median()
        shown.add_row(escape(name), str(len(table)), *cells, "" if math.isnan(r2) else f"{r2:.2f}")
    return shown
