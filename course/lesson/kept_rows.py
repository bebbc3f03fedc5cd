"""Rows of this project's kept evidence for networks that a learner has not trained yet."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd

from course.evidence.collect import kept_evidence
from course.evidence.receipts import NUMBERS, RECEIPTS, read_settings
from transferkit.config import Setting
from transferkit.results import COLUMNS, pair
from transferkit.training.study import Study
from transferkit.treatments import Run


def kept_rows(study: Study, runs: tuple[Run, ...]) -> pd.DataFrame:
    """The table (`results.COLUMNS`) of those runs that the kept evidence has under the same net and recipe.

    The data set has the same name; device and precision may be others. `paired` is to kept bases. Empty outside a
    checkout, and where there are none.
    """
    folder = kept_evidence()
    table = _read(folder) if folder is not None else pd.DataFrame(columns=["setting", "run", "split", "seed"])
    same = [name for name, kept in _settings(folder).items() if _alike(kept, study.setting)]
    by_name = {(run.label, run.split, run.seed): run for run in runs}
    rows = []
    for kept in table[table["setting"].isin(same)].to_dict("records"):
        if run := by_name.get((kept["run"], kept["split"], kept["seed"])):
            told = (run.label, run.treatment, run.split, run.seed, run.source, run.target, run.n, run.finetune)
            rows.append((*told, kept["top1"], float("nan"), kept["train_loss"], kept["valid_loss"], kept["seconds"]))
    return pair(pd.DataFrame(rows, columns=list(COLUMNS)))


def _alike(kept: Setting, own: Setting) -> bool:
    """Whether two settings differ in nothing but the machine and the copy of the data."""
    same = {"device": own.device, "precision": own.precision, "threads": own.threads}
    data = {"data": own.data, "data_checksum": own.data_checksum}
    return Path(kept.data).name == Path(own.data).name and replace(kept, **same, **data) == own  # type: ignore[arg-type]


@cache
def _settings(folder: Path | None) -> dict[str, Setting]:
    return read_settings(folder) if folder is not None else {}


@cache
def _read(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / RECEIPTS, usecols=["run", "split", "seed", "setting", "seconds", *NUMBERS])
