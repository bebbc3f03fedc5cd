import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from transferkit.errors import StoreError, TrainingError
from transferkit.experiment import Study
from transferkit.store import RECEIPT, WEIGHTS
from transferkit.sweep import Progress, missing, sweep
from transferkit.treatments import Run, grid, plan
from transferkit.workers import cluster_workers, local_workers
from transferkit.workload import expected_images


class Here(Executor):
    """Runs each task at once, in this process."""

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        future: Future[object] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as problem:
            future.set_exception(problem)
        return future


class Failing(Here):
    """Runs each task but one, whose network diverges."""

    def __init__(self, label: str) -> None:
        self.label = label

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        if args[1][0].label != self.label:
            return super().submit(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        future: Future[object] = Future()
        future.set_exception(TrainingError(f"{self.label} (random0, seed 0): the loss is nan at step 3."))
        return future


class Deadly(Here):
    """Kills the worker that is given a task."""

    def __init__(self, pool: Executor) -> None:
        self.pool = pool

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        return self.pool.submit(die)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def swept(study: Study, runs: tuple[Run, ...]) -> list[Progress]:
    return list(sweep(study, runs, Here()))


def checksums_of(study: Study, runs: tuple[Run, ...]) -> dict[str, str]:
    receipts = [study.store.find(run, study.setting) for run in runs]
    return {receipt.run.label: f"{receipt.log} {receipt.checksums}" for receipt in receipts if receipt}


def test_a_sweep_trains_the_whole_grid_and_a_second_one_nothing(study: Study) -> None:
    runs = grid("random0", 0)
    first, last = (progress := swept(study, runs))[0], progress[-1]
    assert (first.done, first.planned, last.done) == (0, 72, 72)
    assert last.seconds_left == pytest.approx(0, abs=1e-6)
    assert last.images == sum(expected_images(study, run) for run in runs)
    assert sum(step.newest is not None for step in progress) == 72
    again = swept(study, runs)
    assert len(again) == 1
    assert again[0].done == 72


def test_only_what_is_missing_or_damaged_is_trained(study: Study) -> None:
    runs = plan("random0", [0], ["A1B", "B1B", "R1B"])
    swept(study, runs)
    checksums = checksums_of(study, runs)
    (study.store.run_folder(runs[2], study.setting) / RECEIPT).unlink()
    weights = study.store.run_folder(runs[3], study.setting) / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-7])
    assert missing(study, runs) == runs[2:4]
    swept(study, runs)
    assert checksums_of(study, runs) == checksums


def test_worker_processes_give_the_same_bits_as_this_process(study: Study, tmp_path: Path) -> None:
    runs = plan("random0", [0], ["A3B+", "R2A"])
    elsewhere = replace(study, store=replace(study.store, work=tmp_path / "workers"))
    swept(study, runs)
    list(sweep(elsewhere, runs, local_workers(2)))
    assert len(checksums_of(study, runs)) == len(runs)
    assert checksums_of(elsewhere, runs) == checksums_of(study, runs)


def test_a_failing_network_does_not_stop_those_that_do_not_need_it(study: Study) -> None:
    runs = plan("random0", [0], ["A1B", "B1B"])
    with pytest.raises(TrainingError, match=r"2 of 4 networks failed.*baseA .* step 3.*A1B has no base"):
        list(sweep(study, runs, Failing("baseA")))
    assert [run.label for run in missing(study, runs)] == ["baseA", "A1B"]


def test_a_killed_worker_is_told_with_what_to_do(study: Study) -> None:
    @contextmanager
    def dying() -> Iterator[Executor]:
        with local_workers(1) as pool:
            yield Deadly(pool)

    with pytest.raises(
        TrainingError, match=r"a worker process was killed while it trained baseA .* same command again"
    ):
        list(sweep(study, plan("random0", [0], ["baseA"]), dying()))


def test_too_little_disk_is_told_before_anything_is_trained(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 10**6})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(StoreError, match=r"1 MB free, 72 networks need .* MB: free some space"):
        swept(study, grid("random0", 0))
    assert not list(study.store.work.rglob("*.json"))


def test_a_dask_cluster_gives_the_same_bits(study: Study, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    runs = plan("random0", [0], ["A3B"])
    elsewhere = replace(study, store=replace(study.store, work=tmp_path / "cluster"))
    swept(study, runs)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None, protocol="tcp"
    ) as cluster:
        list(sweep(elsewhere, runs, cluster_workers(cluster.scheduler_address)))
    assert len(checksums_of(study, runs)) == len(runs)
    assert checksums_of(elsewhere, runs) == checksums_of(study, runs)


def test_several_threads_may_sweep_one_store(study: Study) -> None:
    runs = plan("random0", [0], ["A1B"])
    with ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(swept, study, runs) for _ in range(2))
        assert first.result()[-1].done == second.result()[-1].done == 3
    assert not missing(study, runs)
