import argparse
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from course.asking.limits import SandboxLimits
from course.batch import command, drive
from course.grading import command as grading
from data_prep import __main__ as data_prep
from transferkit.hardware import usable_cores
from transferkit.training.workers import default_workers


@pytest.fixture
def seven(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that may run on seven cores, as nothing else says."""
    monkeypatch.delenv("TRANSFERKIT_CORES", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(7)))


@pytest.mark.usefixtures("seven")
def test_cores_are_those_this_process_may_run_on_unless_a_batch_says_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert usable_cores() == 7
    monkeypatch.setenv("TRANSFERKIT_CORES", "3")
    assert usable_cores() == 3
    for wrong in ("", "many", "-1"):
        monkeypatch.setenv("TRANSFERKIT_CORES", wrong)
        assert usable_cores() == 7
    monkeypatch.setenv("TRANSFERKIT_CORES", "0")
    assert usable_cores() == 1


@pytest.mark.usefixtures("seven")
def test_where_no_process_is_bound_to_cores_all_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert usable_cores() == 5
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1


@pytest.mark.usefixtures("seven")
def test_whatever_shares_work_out_counts_the_same_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    def counted() -> tuple[int, int, int, int | None]:
        options = argparse.Namespace(timeout=0, scheduler=None, per_gpu=1)
        cores_of_each = command._limits(options, workers=1).cores
        small = SandboxLimits(memory=2**20)
        return default_workers("cpu"), drive.default_notebook_workers(), grading._default_workers(small), cores_of_each

    monkeypatch.setattr(drive, "gpus", lambda _: {})
    monkeypatch.setattr(drive, "BYTES_PER_NOTEBOOK", 1e6)
    assert counted() == (7, 7 // drive.CORES_PER_NOTEBOOK, 7, 7)
    monkeypatch.setenv("TRANSFERKIT_CORES", "4")
    assert counted() == (4, 4 // drive.CORES_PER_NOTEBOOK, 4, 4)


@pytest.mark.usefixtures("seven")
def test_pictures_are_packed_on_the_cores_that_are_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(_folder: object, _listing: object, _fitting: object, workers: int, **_: object) -> None:
        raise RuntimeError(workers)

    monkeypatch.setattr(data_prep, "list_pictures", lambda *_: SimpleNamespace(told=()))
    monkeypatch.setattr(data_prep, "counted", lambda _: "four")
    monkeypatch.setattr(data_prep, "prepare_listing", ask)
    monkeypatch.setenv("TRANSFERKIT_CORES", "4")
    with pytest.raises(RuntimeError, match="^4$"):
        data_prep.main(["tiles", "--out", str(tmp_path)])
