"""Random tables of networks for exercises, with halves that are not equally hard, whose rows are numbered anyhow."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from course.asking.frame import frame
from course.asking.plain import Plain
from course.exercises.exercise import Case
from transferkit.treatments import CHOP_POINTS, HALVES, Half, Run, Source, Treatment

COLUMNS = ("run", "treatment", "split", "seed", "source", "target", "n", "top1")
_OFFSETS: Mapping[Treatment, float] = {"BnB": 0.01, "BnB+": 0.05, "AnB": -0.02, "AnB+": 0.04, "RnB": -0.2}
_SIMILAR = ("random0", "random2")
Row = Mapping[str, Any]


def draw_table(
    generator: np.random.Generator,
    splits: Iterable[str],
    seeds: Sequence[int] = (0,),
    treatments: Sequence[Treatment] = ("AnB",),
    ns: Sequence[int] = CHOP_POINTS,
) -> dict[str, list[Plain]]:
    """Bases and these treatments at these n for both targets, in random order, as the columns COLUMNS.

    Accuracies depend on split, target, seed, treatment and n, so that no two ways to compare them agree by chance.
    """
    rows = []
    for split in splits:
        for target in HALVES:
            level = generator.uniform(0.5, 0.8)
            for seed in seeds:
                base = level + generator.normal(0, 0.02)
                rows.append((Run(split, seed, target), base))
                runs = [run_of(name, split, seed, target, n) for name in treatments for n in ns]
                rows += [(run, base + _offset(run) + generator.normal(0, 0.01)) for run in runs]
    order = generator.permutation(len(rows))
    cells = [_cells(*rows[index]) for index in order]
    return {name: [row[place] for row in cells] for place, name in enumerate(COLUMNS)}


def without(columns: Mapping[str, list[Plain]], gone: Callable[[Row], bool]) -> dict[str, list[Plain]]:
    """The columns without the rows for which `gone` is true."""
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    kept = [row for row in rows if not gone(row)]
    return {name: [row[name] for row in kept] for name in columns}


def numbered(generator: np.random.Generator, columns: Mapping[str, list[Plain]], how: str) -> dict[str, Any]:
    """What a case gives: the columns as `table`, and how their rows are numbered, as `index`.

    "" is from 0 on, "filtered" rising with gaps, "shuffled" in no order.
    """
    count = len(next(iter(columns.values())))
    index = generator.choice(3 * count + 3, count, replace=False).tolist() if how else None
    return {"table": dict(columns), "index": sorted(index) if index and how == "filtered" else index}


def table_of(case: Case) -> pd.DataFrame:
    """The table of a case, whose rows are numbered from 0 on."""
    return frame(case.given["table"])


def run_of(treatment: Treatment, split: str, seed: int, target: Half, n: int) -> Run:
    """The run of a treatment other than base, for one target half."""
    other: Half = "A" if target == "B" else "B"
    source: Source = "R" if treatment == "RnB" else target if treatment.startswith("BnB") else other
    return Run(split, seed, target, source, n, treatment.endswith("+"))


def base_top1(table: pd.DataFrame, keys: Sequence[str] = ("split", "seed", "target")) -> pd.Series:
    """For each row, the mean top-1 (0..1) of the bases with the same keys; NaN if there is none."""
    bases = table[table["treatment"] == "base"].groupby(list(keys))["top1"].mean().rename("base").reset_index()
    return table[list(keys)].merge(bases, on=list(keys), how="left")["base"]


def _offset(run: Run) -> float:
    """How far above its base; AnB falls with n, and AnB+ is above BnB+ on some splits and below it on others."""
    falls = -0.02 * run.n * (run.treatment == "AnB")
    return _OFFSETS[run.treatment] + falls + 0.03 * (run.treatment == "AnB+" and run.split not in _SIMILAR)


def _cells(run: Run, top1: float) -> tuple[Plain, ...]:
    return (run.label, run.treatment, run.split, run.seed, run.source, run.target, run.n, round(top1, 4))
