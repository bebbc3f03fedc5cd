"""What the tests of `verify` and of `export` share: a few trained networks, and a machine that needs no probe."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.evidence.verifying import PROBE, RUNS, SMOKE, collect
from transferkit.disk.store import Store
from transferkit.training.data import open_prepared
from transferkit.training.experiment import perform
from transferkit.training.study import Study, plan_study


@pytest.fixture(scope="session")
def kept(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study whose networks of three seeds are trained, in a work folder of its own, with the tables of `similar`."""
    work = tmp_path_factory.mktemp("verify") / "work"
    (work / "data").mkdir(parents=True)
    (work / "data" / "tiny").symlink_to(tiny_folder)
    study = plan_study(open_prepared(work / "data" / "tiny"), SMOKE, "cpu", Store(work))
    for run in RUNS:
        perform(study, run)
    collect(study, work / "evidence")
    return study


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without probe and processes, which take seconds to start."""

    @contextmanager
    def here(count: int) -> Iterator[Executor]:
        with ThreadPoolExecutor(count) as pool:
            yield pool

    monkeypatch.setattr("transferkit.training.forecast.probe", lambda *_, **__: PROBE)
    monkeypatch.setattr("transferkit.training.workers.local_workers", here)
    monkeypatch.setenv("TRANSFERKIT_WORK", str(tmp_path / "mine"))
    monkeypatch.setenv("COLUMNS", "200")
