"""A Dask cluster that loses a worker or its scheduler: nothing is lost, and nothing that is done is trained again."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from transferkit.config import get_preset
from transferkit.disk.store import RECEIPT
from transferkit.errors import TrainingError
from transferkit.training.study import Study
from transferkit.training.sweep import sweep
from transferkit.training.workers import cluster_workers
from transferkit.treatments import grid

distributed = pytest.importorskip("distributed")
RUNS = grid("random0", 0)


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def scheduler(folder: Path) -> tuple[str, ...]:
    file = str(folder / "scheduler.json")
    return ("distributed.cli.dask_scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", file)


def worker(folder: Path) -> tuple[str, ...]:
    file = str(folder / "scheduler.json")
    options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(folder))
    return ("distributed.cli.dask_worker", "--scheduler-file", file, *options)


def address_in(folder: Path) -> str:
    file = folder / "scheduler.json"
    wait_until(lambda: file.exists() and bool(file.read_bytes()))  # it is made, then written
    return str(json.loads(file.read_text())["address"])


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)


def receipts(study: Study) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in study.store.work.rglob(RECEIPT)}


def when_done(study: Study, count: int, action: Callable[[], object]) -> threading.Thread:
    """Do it, in a thread of its own, as soon as so many networks are done."""

    def watch() -> None:
        wait_until(lambda: len(receipts(study)) >= count)
        action()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@pytest.fixture
def longer(study: Study) -> Study:
    """The tiny study with networks that take long enough to be killed in the middle."""
    return replace(study, setting=replace(study.setting, recipe=replace(get_preset("smoke").recipe, epochs=6)))


@pytest.mark.long
def test_a_sweep_goes_on_when_a_worker_is_killed(longer: Study, tmp_path: Path) -> None:
    with started(*scheduler(tmp_path)), started(*worker(tmp_path)) as doomed, started(*worker(tmp_path)):
        killing = when_done(longer, 5, lambda: os.kill(doomed.pid, signal.SIGKILL))
        progress = list(sweep(longer, RUNS, cluster_workers(address_in(tmp_path))))
        killing.join()
        assert doomed.wait() == -signal.SIGKILL
    assert progress[-1].done == len(RUNS)


@pytest.mark.long
def test_a_killed_scheduler_is_told_and_the_next_sweep_trains_only_what_is_missing(
    longer: Study, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    with started(*scheduler(first)) as doomed, started(*worker(first)):
        address = address_in(first)
        killing = when_done(longer, 5, lambda: os.kill(doomed.pid, signal.SIGKILL))
        with pytest.raises(TrainingError, match=r"the scheduler was lost while \S+ was trained.*same command again"):
            list(sweep(longer, RUNS, cluster_workers(address)))
        killing.join()
    before = receipts(longer)
    assert 5 <= len(before) < len(RUNS)
    with started(*scheduler(second)), started(*worker(second)), started(*worker(second)):
        progress = list(sweep(longer, RUNS, cluster_workers(address_in(second))))
    assert progress[-1].done == len(RUNS)
    after = receipts(longer)
    assert {path: after[path] for path in before} == before


def note(path: Path, number: int) -> None:
    (path / str(number)).touch()
    time.sleep(0.5)


@pytest.mark.parametrize("problem", [KeyboardInterrupt, GeneratorExit, TrainingError])
def test_whoever_stops_a_sweep_does_not_wait_for_what_no_worker_has_begun(
    tmp_path: Path, problem: type[BaseException]
) -> None:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0", protocol="tcp"
    ) as cluster:
        with pytest.raises(problem), cluster_workers(cluster.scheduler_address) as executor:
            futures = [executor.submit(note, tmp_path, number) for number in range(40)]
            wait_until(lambda: any(tmp_path.iterdir()))
            began = time.monotonic()
            raise problem
        assert time.monotonic() - began < 5  # all of them take ten seconds
        assert len(list(tmp_path.iterdir())) < 20
        assert any(future.cancelled() for future in futures)
