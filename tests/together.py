"""What torchrun starts in the tests of several processes: one network trained by all of them."""

import sys
from dataclasses import replace
from pathlib import Path

import torch

from tests.networks import normalised
from transferkit.config import get_preset
from transferkit.disk.store import Store
from transferkit.training import experiment
from transferkit.training.data import open_prepared
from transferkit.training.distributed import Processes, together
from transferkit.training.experiment import perform
from transferkit.training.study import Execution, Study, plan_study
from transferkit.training.sweep import sweep_together
from transferkit.treatments import parse_run, plan


def study_of(folder: Path, work: Path, kind: str, processes: Processes) -> Study:
    """A study of few epochs, or of many with a checkpoint after each step, or of a network with batch normalisation."""
    preset = get_preset("smoke")
    if kind == "long":
        preset = replace(preset, recipe=replace(preset.recipe, epochs=20, augment="mirror"))
    if kind == "normalised":
        preset = replace(preset, net=normalised())
    study = plan_study(open_prepared(folder), preset, "cpu", Store(work), "float32")
    return replace(study, execution=Execution(processes, 0.0 if kind == "long" else 180.0))


def fail_alone(folder: str, work: str) -> None:
    """A sweep for which the memory of the second process is too small."""

    def too_large(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with together("cpu") as processes:
        if not processes.is_first:
            setattr(experiment, "read_half", too_large)  # noqa: B010 - where it is called
        study = study_of(Path(folder), Path(work), "few", processes)
        list(sweep_together(study, plan("random0", [0], ["baseA", "baseB"])))


def main(folder: str, work: str, kind: str) -> None:
    """Train baseA, and then a copy of it, and prove that every process has come to the same bits."""
    torch.set_num_threads(1)
    with together("cpu") as processes:
        study = study_of(Path(folder), Path(work), kind, processes)
        for label in ("baseA", "A3A+") if kind != "long" else ("baseA",):
            receipt = perform(study, parse_run(label, "random0", 0))
            assert receipt.times.processes == processes.count


if __name__ == "__main__":
    fail_alone(*sys.argv[1:3]) if sys.argv[3] == "too large" else main(*sys.argv[1:])
