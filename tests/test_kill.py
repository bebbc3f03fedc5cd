"""kill -9 at random moments: the receipts in the end equal those of an uninterrupted sweep, apart from times."""

import os
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from transferkit.disk.atomic import PARTIAL
from transferkit.disk.store import RECEIPT, WEIGHTS

KILLS = 3
EACH_KIND = [f"{label}{plus}" for label in ("A2B", "B2B", "A5A", "B5A", "A7B", "B7B") for plus in ("", "+")] + [
    "R4A",
    "R6B",
]


def start(tiny_folder: Path, work: Path, *labels: str, apart: bool = False) -> subprocess.Popen[bytes]:
    options = ["--data", str(tiny_folder), "--preset", "smoke", "--device", "cpu", "--work", str(work)]
    options += ["--runs", *labels] if labels else []
    command = [sys.executable, "-m", "transferkit", "sweep", *options, "--workers", "2"]
    return subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=apart,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # ignored in what a shell runs behind
    )


def receipts(work: Path) -> dict[str, Any]:
    found = {path.parent.name: msgspec.json.decode(path.read_bytes()) for path in work.glob(f"runs/*/*/{RECEIPT}")}
    for receipt in found.values():
        del receipt["times"], receipt["digest"]  # of the times too
    return found


def weights(work: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in work.glob(f"runs/*/*/{WEIGHTS}")}


@pytest.mark.long
def test_a_sweep_killed_at_random_moments_ends_as_if_it_had_not_been(tiny_folder: Path, tmp_path: Path) -> None:
    generator = random.Random(0)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    with start(tiny_folder, whole, *EACH_KIND) as sweep:
        assert sweep.wait() == 0
    for _ in range(KILLS):
        before = len(receipts(killed))
        with start(tiny_folder, killed, *EACH_KIND) as sweep:
            # the first network that is finished shows that training is under way: the kill falls into it
            while sweep.poll() is None and len(receipts(killed)) == before:
                time.sleep(0.005)
            time.sleep(generator.uniform(0, 0.15))
            family = psutil.Process(sweep.pid).children(recursive=True)
            sweep.send_signal(signal.SIGKILL)
        assert not psutil.wait_procs(family, timeout=10)[1], "the workers must end with the sweep that was killed"
    assert len(receipts(killed)) < len(receipts(whole)), "the kills came too late to mean anything"
    with start(tiny_folder, killed, *EACH_KIND) as sweep:
        assert sweep.wait() == 0, sweep.stderr and sweep.stderr.read()
    assert receipts(killed) == receipts(whole)
    assert weights(killed) == weights(whole)
    assert not list(killed.rglob(f"{PARTIAL}*")), "what killed writers left is cleaned up"


@pytest.mark.long
def test_ctrl_c_while_workers_are_begun_ends_them_all_without_a_traceback(tiny_folder: Path, tmp_path: Path) -> None:
    with start(tiny_folder, tmp_path, apart=True) as sweep:
        while sweep.poll() is None and not psutil.Process(sweep.pid).children():
            time.sleep(0.005)
        time.sleep(1)  # until it imports torch
        family = psutil.Process(sweep.pid).children(recursive=True)
        os.killpg(sweep.pid, signal.SIGINT)  # as a terminal sends it: to all of them
        assert sweep.wait(timeout=20) == 130
        assert sweep.stderr is not None
        assert "Traceback" not in sweep.stderr.read().decode()
    assert not psutil.wait_procs(family, timeout=20)[1]


@pytest.mark.long
def test_ctrl_c_ends_the_sweep_at_once_and_says_that_nothing_is_lost(tiny_folder: Path, tmp_path: Path) -> None:
    with start(tiny_folder, tmp_path) as sweep:
        while sweep.poll() is None and not receipts(tmp_path):
            time.sleep(0.005)
        family = psutil.Process(sweep.pid).children(recursive=True)
        os.kill(sweep.pid, signal.SIGINT)
        assert sweep.wait(timeout=20) == 130
        assert sweep.stderr is not None
        told = sweep.stderr.read().decode()
    assert "what is done is kept" in told
    assert "Traceback" not in told
    assert not psutil.wait_procs(family, timeout=10)[1]
