"""What a grid leaves for people: `grid.csv`, Figure 2, the random filters beside it, and the conv1 sheets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from transferkit import figures
from transferkit.disk import atomic
from transferkit.disk.store import Receipt
from transferkit.errors import StoreError
from transferkit.gabor.table import fit_table
from transferkit.gabor.tiles import filter_tiles, order_filters
from transferkit.results import Learned, have_learned, tabulate
from transferkit.training.study import Study
from transferkit.treatments import Run


@dataclass(frozen=True)
class Report:
    """The table with one row per network, and the files that were written."""

    table: pd.DataFrame
    files: tuple[Path, ...]


def write_report(study: Study, runs: Sequence[Run], folder: Path) -> Report:
    """Write what those of the runs that are done show into `folder`, each file atomically.

    Raises StoreError when none is done.
    """
    receipts = finished(study, runs)
    table = tabulate(receipts)
    grid = folder / "grid.csv"
    atomic.write_bytes(grid, table.to_csv(index=False).encode())
    data = study.setting.data
    picture = figures.figure2(table, data, learned=bases_learned(study))
    files = [grid, picture.save(folder / "figure2.png")]
    if (table["treatment"] == "RnB").any():
        files.append(figures.random_filters(table, data).save(folder / "random.png"))
    if bases := conv1_bases(receipts):
        tiles_a, tiles_b = (conv1_tiles(study, base) for base in bases)
        files.append(figures.conv1(tiles_a, tiles_b).save(folder / "conv1.png"))
    return Report(table, tuple(files))


def bases_learned(study: Study) -> Learned:
    """Whether the bases under the study's setting have learned, from all receipts of it and of twice its epochs."""
    recipe = study.setting.recipe
    twice = replace(study.setting, recipe=replace(recipe, epochs=2 * recipe.epochs))
    kept = list(study.store.receipts())
    once, longer = (tabulate(it for it in kept if it.setting == setting) for setting in (study.setting, twice))
    return have_learned(once, longer)


def study_filters(study: Study, bases: Sequence[Run]) -> dict[str, np.ndarray]:
    """conv1 of the first of the bases of each half that are done, by label: float32 filters x 3 x k x k.

    Raises StoreError when there is none.
    """
    done = {receipt.run.label: receipt.run for receipt in reversed(finished(study, bases))}
    return {label: first_filters(study, done[label]) for label in sorted(done)}


def write_forming(study: Study, bases: Sequence[Run], folder: Path) -> Path:
    """Write how conv1 of the first of these bases that is done formed to `folder`, as NAME-forming.webp."""
    run = finished(study, bases)[0].run
    film = figures.forming(study.store.history(run, study.setting), f"conv1 of {run.label}")
    return film.save(folder / f"{run.label}-forming.webp")


def write_filters(networks: Mapping[str, np.ndarray], folder: Path) -> dict[str, pd.DataFrame]:
    """Fit the filters of each network and write its sheet to `folder`, NAME-filters.png, .svg and .pdf; the tables."""
    tables = {}
    for name, weights in networks.items():
        tables[name] = fit_table(weights)
        sheet = sheet_of(weights, tables[name], f"First layer of {name}")
        for ending in ("png", "svg", "pdf"):
            sheet.save(folder / f"{name}-filters.{ending}")
    return tables


def sheet_of(weights: np.ndarray, table: pd.DataFrame, title: str) -> figures.Picture:
    """The sheet of all filters, float filters x 3 x k x k, with their table of `fit_table`, alike ones together."""
    tiles = filter_tiles(weights)
    order = order_filters(tiles)
    return figures.filter_sheet(tiles[order], table.iloc[order].reset_index(drop=True), title)


def finished(study: Study, runs: Sequence[Run]) -> list[Receipt]:
    """The receipts of those runs that are done, in the same order. Raises StoreError when there is none."""
    found = [receipt for run in runs if (receipt := study.store.find(run, study.setting))]
    if not found:
        raise StoreError(
            f"none of the {len(runs)} networks is trained under this setting: run 'python -m transferkit sweep' "
            "with the same --data, --preset, --split, --seeds and --device first."
        )
    return found


def first_filters(study: Study, run: Run) -> np.ndarray:
    """The filters of a finished run's first layer, float32 filters x 3 x k x k."""
    return study.store.weights(run, study.setting)[study.setting.net.first_filters]


def conv1_bases(receipts: Sequence[Receipt]) -> tuple[Run, Run] | None:
    """The first base network of half A and of half B; None unless there are both."""
    bases = [receipt.run for receipt in receipts if receipt.run.source is None]
    of_a = [run for run in bases if run.target == "A"]
    of_b = [run for run in bases if run.target == "B"]
    return (of_a[0], of_b[0]) if of_a and of_b else None


def conv1_tiles(study: Study, run: Run) -> np.ndarray:
    """The conv1 filters of a finished run as tiles, float32 filters x k x k x 3 in 0..1, alike ones side by side."""
    tiles = filter_tiles(first_filters(study, run))
    return tiles[order_filters(tiles)]
