"""`python -m course.measures`: the kept tables and their figure, made again from trained bases."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from course.evidence.collect import write_series
from course.evidence.plan import Bundle, Series
from course.evidence.sweeps import steps_under
from course.measures import __main__ as command
from transferkit.config import get_preset
from transferkit.disk.store import Store
from transferkit.training.data import open_prepared
from transferkit.training.experiment import perform
from transferkit.training.study import plan_study


def test_the_command_makes_the_tables_and_the_figure_from_what_is_trained(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits = tuple(Bundle(f"random{number}", labels=("A3B", "A6B", "B3B", "B6B")) for number in range(3))
    series = Series("similar", str(tiny_folder), "?", splits)
    study = plan_study(open_prepared(tiny_folder), get_preset("smoke"), "cpu", Store(tmp_path / "work"))
    steps = steps_under(series, study)
    for step in steps:
        for run in step.runs:
            perform(step.study, run)
    write_series("similar", steps, tmp_path)
    monkeypatch.setattr(command, "all_series", lambda: [series])
    monkeypatch.setattr(command, "get_preset", lambda name: get_preset("smoke"))
    monkeypatch.setattr(sys, "argv", ["measures", "--work", str(tmp_path / "work"), "--out", str(tmp_path)])
    command.main()
    cells, judged = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("measures", "measures-judged"))
    assert sorted(zip(cells["split"], cells["target"], cells["n"], strict=True)) == [
        (f"random{number}", target, n) for number in range(3) for target in "AB" for n in (3, 6)
    ]
    assert set(judged["question"]) >= {"over n", "at fixed n, tiny", "error, random", "inside, tiny"}
    assert (tmp_path / "measures.png").stat().st_size > 10_000
