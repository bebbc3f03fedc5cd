"""What a grid leaves for people: `grid.csv`, Figure 2, the random filters beside it, and the conv1 sheets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from transferkit import figures
from transferkit.disk import atomic
from transferkit.disk.store import Receipt
from transferkit.errors import StoreError
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
    once, longer = (tabulate(it for it in kept if it.setting == each.of(it.run)) for each in (study.setting, twice))
    return have_learned(once, longer)


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
