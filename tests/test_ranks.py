"""One network trained by two processes: what one alone comes to, and the same bits after one of them was killed."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch._C._distributed_c10d import TCPStore

from tests.together import study_of
from transferkit.disk.store import Receipt
from transferkit.errors import UsageError
from transferkit.training.distributed import ALONE, Processes, meet, together
from transferkit.training.experiment import perform
from transferkit.training.study import Study
from transferkit.treatments import Run, parse_run

TOLERANCE = 1e-4  # of the norm of each tensor of weights, and nats; measured over 2 epochs: 6e-7, and 9e-6 nats
BASE = parse_run("baseA", "random0", 0)


def started(*command: str, restarts: int = 0) -> subprocess.Popen[bytes]:
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", f"--max-restarts={restarts}")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent.parent)}
    return subprocess.Popen(
        [sys.executable, *torchrun, "-m", *command], env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )


def close(study: Study, run: Run, one: Receipt, other: Receipt, others: Study) -> None:
    """Receipts that agree apart from times and checksums, with losses and weights within TOLERANCE."""
    assert (one.run, one.setting, one.account, one.versions) == (
        other.run,
        other.setting,
        other.account,
        other.versions,
    )
    for mine, theirs in zip(one.log, other.log, strict=True):
        assert (mine.epoch, mine.learning_rate) == (theirs.epoch, theirs.learning_rate)
        assert mine.train_loss == pytest.approx(theirs.train_loss, rel=TOLERANCE, abs=TOLERANCE)
        assert mine.valid_loss == pytest.approx(theirs.valid_loss, rel=TOLERANCE, abs=TOLERANCE)
        assert mine.top1 == pytest.approx(theirs.top1, abs=1 / 32)
    ours, theirs_ = study.store.weights(run, study.setting), others.store.weights(run, others.setting)
    for name, array in ours.items():
        assert np.linalg.norm(array - theirs_[name]) <= TOLERANCE * np.linalg.norm(array), name


@pytest.mark.long
def test_two_processes_come_to_what_one_does_with_the_same_batch(tiny_folder: Path, tmp_path: Path) -> None:
    with started("tests.together", str(tiny_folder), str(tmp_path / "two"), "few") as process:
        told = process.communicate(timeout=200)[1].decode()
        assert process.returncode == 0, told
    two, one = (study_of(tiny_folder, tmp_path / name, "few", ALONE) for name in ("two", "one"))
    for label in ("baseA", "A3A+"):
        run = parse_run(label, "random0", 0)
        found = two.store.find(run, two.setting)
        assert found is not None
        assert found.times.processes == 2
        close(two, run, found, perform(one, run), one)


@pytest.mark.long
def test_two_processes_lose_one_to_sigkill_and_end_as_if_they_had_not(tiny_folder: Path, tmp_path: Path) -> None:
    lost = study_of(tiny_folder, tmp_path / "lost", "long", ALONE)
    with started("tests.together", str(tiny_folder), str(tmp_path / "lost"), "long", restarts=1) as process:
        while process.poll() is None and not ((before := lost.store.checkpoint(BASE, lost.setting)) and before.log):
            time.sleep(0.002)
        victim = psutil.Process(process.pid).children()[-1]
        victim.send_signal(signal.SIGKILL)
        told = process.communicate(timeout=250)[1].decode()
        assert process.returncode == 0, told
    assert before is not None
    assert 0 < len(before.log) < 20, "the kill came too early or too late to mean anything"
    assert "Signal 9 (SIGKILL)" in told or "exitcode: -9" in told
    kept = study_of(tiny_folder, tmp_path / "kept", "long", ALONE)
    with started("tests.together", str(tiny_folder), str(tmp_path / "kept"), "long") as process:
        told = process.communicate(timeout=250)[1].decode()
        assert process.returncode == 0, told
    one, other = (study.store.find(BASE, study.setting) for study in (lost, kept))
    assert one is not None
    assert other is not None
    assert one.log == other.log
    assert one.checksums == other.checksums, "to the bit"


@pytest.mark.long
def test_when_one_process_fails_alone_the_others_end_too(tiny_folder: Path, tmp_path: Path) -> None:
    with started("tests.together", str(tiny_folder), str(tmp_path), "too large") as process:
        told = process.communicate(timeout=120)[1].decode()
    assert process.returncode == 1
    assert "baseA (random0, seed 0): the memory of the GPU is full" in told


@pytest.mark.long
def test_with_batch_normalisation_all_processes_keep_the_statistics_of_the_first(
    tiny_folder: Path, tmp_path: Path
) -> None:
    with started("tests.together", str(tiny_folder), str(tmp_path), "normalised") as process:
        told = process.communicate(timeout=200)[1].decode()
        assert process.returncode == 0, told
    study = study_of(tiny_folder, tmp_path, "normalised", ALONE)
    receipt = study.store.find(BASE, study.setting)
    assert receipt is not None
    assert receipt.account["conv1_norm.running_mean"] == "re-initialised, trained"
    weights = study.store.weights(BASE, study.setting)
    assert weights["conv1_norm.num_batches_tracked"] == 4 * study.setting.recipe.epochs


@pytest.mark.long
def test_the_sweep_runs_under_torchrun_and_refuses_workers_there(tiny_folder: Path, tmp_path: Path) -> None:
    grid = ("--data", str(tiny_folder), "--preset", "smoke", "--device", "cpu", "--work", str(tmp_path))
    with started("transferkit", "sweep", *grid, "--runs", "R5A") as process:
        told = process.communicate(timeout=200)[1].decode()
        assert process.returncode == 0, told
    study = study_of(tiny_folder, tmp_path, "few", ALONE)
    assert len(list(tmp_path.glob("runs/*/*/receipt.json"))) == 2
    assert study.prepared.manifest.name == "tiny"
    with started("transferkit", "sweep", *grid, "--workers", "2") as process:
        told = process.communicate(timeout=200)[1].decode()
        assert process.returncode == 1
    assert "leave out --workers and --scheduler" in told


@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 4))
def test_the_processes_share_every_batch_out_among_them(steps: int, each: int, count: int) -> None:
    batches = torch.arange(steps * each * count).view(steps, each * count)
    parts = [Processes(number, count).share(batches) for number in range(count)]
    assert all(part.shape == (steps, each) for part in parts)
    for step in range(steps):
        assert sorted(torch.cat([part[step] for part in parts]).tolist()) == batches[step].tolist()


def test_a_batch_that_cannot_be_shared_equally_is_refused() -> None:
    with pytest.raises(UsageError, match="a batch of 16 images cannot be shared equally by 3 processes"):
        Processes(0, 3).share(torch.zeros(2, 16))


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UsageError, match="process 2 of this machine finds 1 GPUs"), together("cuda"):
        pass


def test_processes_of_a_new_attempt_meet_in_a_store_that_holds_what_older_ones_left() -> None:
    server = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    for attempt in range(4):
        ranks = [Processes(number, 3) for number in range(3)][
            :: 1 if attempt % 2 else -1
        ]  # the first comes first, or last
        clients = [TCPStore("127.0.0.1", server.port, is_master=False) for _ in ranks]
        with ThreadPoolExecutor(3) as pool:
            parts = list(pool.map(meet, clients, ranks))
        assert not any(part.check(["address"]) for part in parts), "left by an older attempt"
        parts[1].set("address", str(attempt))
        assert [part.get("address") for part in parts] == [str(attempt).encode()] * 3


def test_one_process_alone_asks_nobody() -> None:
    values = torch.ones(2)
    ALONE.average_(values)
    ALONE.sum_(values)
    ALONE.broadcast_([values])
    assert ALONE.from_first(lambda: values.tolist()) == [1, 1]
