"""after.csv: one row for each variant, half and split, written as they come, so that a stopped run goes on."""

from collections.abc import Iterable
from concurrent.futures import Executor, as_completed
from pathlib import Path

import pandas as pd
from rich.progress import track

from course.evidence.after.perform import perform_variant
from course.evidence.after.variants import COLUMNS, halves_of, variants
from transferkit.config import digest
from transferkit.disk import atomic
from transferkit.training.study import Study


def write_after(study: Study, splits: Iterable[str], executor: Executor, folder: Path) -> Path:
    """Train the variants that after.csv in `folder` lacks on these splits, and add their rows.

    The study is that of the usual setting, and its bases must be finished. Rows of another setting are dropped.
    """
    path = folder / "after.csv"
    asked = {
        digest((variant, split, target, study.setting)): (variant, split, target)
        for split in splits
        for variant in variants(study.setting.recipe)
        for target in halves_of(variant)
    }
    rows = _earlier(path, set(asked))
    todo = {executor.submit(perform_variant, study, *task): name for name, task in asked.items() if name not in rows}
    for done in track(as_completed(todo), "after 2014", len(todo), transient=True, disable=not todo):
        rows[todo[done]] = done.result()
        _write({name: rows[name] for name in asked if name in rows}, path)
    return path


def _earlier(path: Path, asked: set[str]) -> dict[str, dict[str, object]]:
    if not path.exists():
        return {}
    table = pd.read_csv(path)
    rows = [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
    return {str(row.pop("key")): row for row in rows if row["key"] in asked}


def _write(rows: dict[str, dict[str, object]], path: Path) -> None:
    table = pd.DataFrame([{"key": name, **row} for name, row in rows.items()], columns=list(COLUMNS))
    atomic.write_bytes(path, table.to_csv(index=False, float_format="%.6g").encode())
