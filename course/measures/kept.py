"""The kept table of measures, beside what training found: made from the bases of the evidence, and read again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from course.evidence.claims import Evidence
from course.evidence.sweeps import SeriesStep
from course.measures.cells import measure
from course.measures.names import BEST, KEYS, MEASURES
from transferkit.disk import atomic
from transferkit.errors import DataError
from transferkit.training.study import Study
from transferkit.treatments import Treatment

FILE = "measures.csv"
OF_LENGTHS = "lengths"
SERIES = ("similar", "dissimilar", "apart", "dial", OF_LENGTHS)  # of networks on frozen layers, with the whole half
TRUTHS: tuple[Treatment, ...] = ("AnB", "BnB", "AnB+", "BnB+")
DIGITS = 5  # after the point


def measured(planned: Mapping[str, Iterable[SeriesStep]]) -> Iterator[pd.DataFrame]:
    """The measures of every pair of bases whose AnB are in these series, at the n of these; see `cells.measure`.

    What series share is measured once. Of bases that were trained for other lengths there is only BEST, on which the
    expected curve rests. Raises StoreError when a base is not trained.
    """
    done: set[tuple[str, int, str, int]] = set()
    for name, steps in planned.items():
        for (data, epochs, split, seed), (study, points) in _pairs(steps).items():
            if (key := (data, epochs, split, seed)) not in done:
                done.add(key)
                yield measure(study, split, seed, points, (BEST,) if name == OF_LENGTHS else tuple(MEASURES))


def _pairs(steps: Iterable[SeriesStep]) -> dict[tuple[str, int, str, int], tuple[Study, set[int]]]:
    """By data, epochs, split and seed: the study of those bases, and the n of their AnB.

    Networks that are trained on fewer images than their source are left out.
    """
    found: dict[tuple[str, int, str, int], tuple[Study, set[int]]] = {}
    for step in steps:
        setting = step.study.setting
        for run in step.runs:
            if run.treatment == "AnB" and setting.source_recipe is None:
                key = (setting.data, setting.recipe.epochs, run.split, run.seed)
                found.setdefault(key, (step.study, set()))[1].add(run.n)
    return found


def write_measures(tables: Sequence[pd.DataFrame], folder: Path) -> Path:
    """Write measures.csv: one row for each cell, in the order of KEYS."""
    table = pd.concat(tables).sort_values(list(KEYS)).round(DIGITS)
    atomic.write_bytes(folder / FILE, table.to_csv(index=False).encode())
    return folder / FILE


def read_cells(folder: Path, evidence: Evidence) -> pd.DataFrame:
    """The rows of measures.csv, with what training found in further columns.

    `series`, the first of SERIES that has the cell; the paired differences (fractions) of TRUTHS, NaN where not
    trained; and `AnB - BnB`. Raises DataError when the file is not there.
    """
    path = folder / FILE
    if not path.exists():
        raise DataError(f"{path} is missing: make it with 'python -m course.measures --out {folder}'.")
    return with_truth(pd.read_csv(path), {name: getattr(evidence, name) for name in SERIES})


def with_truth(measures: pd.DataFrame, tables: Mapping[str, pd.DataFrame | None]) -> pd.DataFrame:
    """As `read_cells`, from the measures and the tables of series by name; cells that no table has are left out."""
    given = [table.assign(series=name) for name, table in tables.items() if table is not None]
    known = pd.concat(given, ignore_index=True)
    everything = known["images_per_class"] == known.groupby("data")["images_per_class"].transform("max")
    known = known[everything & known["treatment"].isin(TRUTHS)].drop_duplicates([*KEYS, "treatment"])
    wide = known.pivot_table(index=list(KEYS), columns="treatment", values="paired").reindex(columns=list(TRUTHS))
    names = known.drop_duplicates(list(KEYS))[[*KEYS, "series"]]
    cells = measures.merge(names, on=list(KEYS)).merge(wide.reset_index(), on=list(KEYS))
    return cells.assign(**{"AnB - BnB": cells["AnB"] - cells["BnB"]})
