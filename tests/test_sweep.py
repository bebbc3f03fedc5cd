import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from transferkit.config import Setting
from transferkit.disk.store import RECEIPT, WEIGHTS, Receipt, Store
from transferkit.errors import StoreError, TrainingError
from transferkit.specs import small_net
from transferkit.training.forecast import expected_images
from transferkit.training.study import Study
from transferkit.training.sweep import Progress, missing, sweep
from transferkit.training.workers import cluster_workers, local_workers
from transferkit.treatments import Run, grid, parse_run, plan


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
    """Runs each task but one, whose worker raises something: that the network diverges, or what is given."""

    def __init__(self, label: str, problem: Exception | None = None) -> None:
        self.label = label
        self.problem = problem or TrainingError(f"{label} (random0, seed 0): the loss is nan at step 3.")

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        if args[1][0].label != self.label:
            return super().submit(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        future: Future[object] = Future()
        future.set_exception(self.problem)
        return future


class Lost(Here):
    """Runs each task, and loses the worker before it can say so."""

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        super().submit(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        future: Future[object] = Future()
        future.set_exception(OSError("the worker is gone."))
        return future


class Elsewhere(Here):
    """Workers whose work folder is another one than the sweep's."""

    def __init__(self, work: Path) -> None:
        self.work = work

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        study, group = args
        return super().submit(fn, replace(study, store=Store(self.work)), group)  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Hiding(Store):
    """A network file system that hides the receipt of baseA until a second after that of B1B, when nothing runs."""

    def find(self, run: Run, setting: Setting) -> Receipt | None:
        last = self.run_folder(parse_run("B1B", run.split, run.seed), setting) / RECEIPT
        hidden = run.label == "baseA" and not (last.exists() and time.time() - last.stat().st_mtime > 1)
        return None if hidden else super().find(run, setting)


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


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        (MemoryError(), r"its worker failed with MemoryError \(run the same command again"),
        (RuntimeError("CUDA error: unspecified launch failure\nand more"), r"RuntimeError: CUDA error: \w+ \w+ \w+ \("),
        (OSError("stale file handle"), r"its worker failed with OSError: stale file handle \("),
    ],
)
def test_whatever_else_a_worker_raises_is_that_networks_failure_alone(
    study: Study, problem: Exception, told: str
) -> None:
    runs = plan("random0", [0], ["A1B", "B1B"])
    with pytest.raises(
        TrainingError, match=rf"2 of 4 .*baseA \(random0, seed 0\): .*{told}.*A1B has no base"
    ) as raised:
        list(sweep(study, runs, Failing("baseA", problem)))
    assert raised.value.__cause__ is problem, "--debug shows where it happened"
    assert [run.label for run in missing(study, runs)] == ["baseA", "A1B"]


def test_when_nothing_more_can_be_kept_the_sweep_stops_at_once(study: Study) -> None:
    runs = plan("random0", [0], ["A1B", "B1B"])
    with pytest.raises(StoreError, match=r"^the disk is full\.$"):
        list(sweep(study, runs, Failing("baseA", StoreError("the disk is full."))))
    assert parse_run("B1B", "random0", 0) in missing(study, runs)


def test_what_a_lost_worker_had_kept_has_not_failed(study: Study) -> None:
    runs = plan("random0", [0], ["A1B", "A2B", "A1A"])
    assert list(sweep(study, runs, Lost()))[-1].done == len(runs)


def test_a_receipt_that_comes_late_is_waited_for_while_the_others_go_on(study: Study) -> None:
    hiding = replace(study, store=Hiding(study.store.work))
    runs = plan("random0", [0], ["A1B", "B1B"])
    came = [step.newest.run.label for step in sweep(hiding, runs, Here()) if step.newest]
    assert came == ["baseB", "B1B", "baseA", "A1B"]


def test_receipts_that_never_come_are_failures(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transferkit.training.sweep.RECEIPT_SECONDS", 0.1)
    runs = plan("random0", [0], ["A1B"])
    with pytest.raises(TrainingError, match=r"^3 of 3 networks failed.* A1B has no base to copy from\.$") as raised:
        list(sweep(study, runs, Elsewhere(tmp_path / "elsewhere")))
    reason = f"its worker ended, but no receipt is in {study.store.work}: do all workers see this work folder?"
    for base in ("baseA", "baseB"):
        assert f"{base} (random0, seed 0): {reason}" in str(raised.value)


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


def test_a_network_needs_outputs_for_the_classes_of_a_half_only(study: Study) -> None:
    four = replace(study, setting=replace(study.setting, net=replace(small_net(), outputs=4)))
    assert len(study.prepared.manifest.classes) == 8
    assert swept(four, plan("random0", [0], ["baseA"]))[-1].done == 1


def test_a_dask_cluster_gives_the_same_bits(study: Study, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    runs = plan("random0", [0], ["A3B"])
    elsewhere = replace(study, store=replace(study.store, work=tmp_path / "cluster"))
    swept(study, runs)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0", protocol="tcp"
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
