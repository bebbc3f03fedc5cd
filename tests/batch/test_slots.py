"""Each notebook gets a GPU of its own; a fake nvidia-smi stands in for the machine."""

import os
import threading
from pathlib import Path

import pytest

from course.batch.slots import gpu_slot, gpus

TWO = "GPU-aa, NVIDIA H200\nGPU-bb, NVIDIA H200"


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine with two GPUs."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '{TWO}'\n")
    program.chmod(0o755)
    return {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}


def test_all_gpus_are_there_unless_the_environment_says_which(machine: dict[str, str]) -> None:
    assert gpus(machine) == {"GPU-aa": "NVIDIA H200", "GPU-bb": "NVIDIA H200"}
    assert gpus(machine | {"CUDA_VISIBLE_DEVICES": "1"}) == {"1": "NVIDIA H200"}
    assert gpus(machine | {"CUDA_VISIBLE_DEVICES": "GPU-bb,GPU-cc"}) == {"GPU-bb": "NVIDIA H200", "GPU-cc": "GPU"}
    assert gpus(machine | {"CUDA_VISIBLE_DEVICES": ""}) == {}
    assert gpus(machine | {"CUDA_VISIBLE_DEVICES": "-1"}) == {}


def test_without_the_driver_there_is_none(tmp_path: Path) -> None:
    assert gpus({"PATH": str(tmp_path)}) == {}


def test_a_gpu_is_held_by_one_notebook_until_it_ends(tmp_path: Path) -> None:
    third = []

    def wait_for_one() -> None:
        with gpu_slot(["a", "b"], 1, tmp_path) as device:
            third.append(device)

    with gpu_slot(["a", "b"], 1, tmp_path) as first:
        with gpu_slot(["a", "b"], 1, tmp_path) as second:
            assert {first, second} == {"a", "b"}
            waiting = threading.Thread(target=wait_for_one)
            waiting.start()
            waiting.join(0.2)
            assert not third
        waiting.join(10)
        assert third == [second]


def test_more_notebooks_share_a_gpu_only_if_allowed(tmp_path: Path) -> None:
    slots = [gpu_slot(["a", "b"], 2, tmp_path) for _ in range(4)]
    assert sorted(slot.__enter__() for slot in slots) == ["a", "a", "b", "b"]
    for slot in slots:
        slot.__exit__(None, None, None)
