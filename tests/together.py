"""What torchrun starts in the tests of several processes: one network trained by all of them."""

import sys
from dataclasses import replace
from pathlib import Path

import torch

from tests.networks import normalised
from transferkit import experiment
from transferkit.conduct import Conduct
from transferkit.config import get_preset
from transferkit.data import open_prepared
from transferkit.experiment import perform
from transferkit.ranks import Ranks, together
from transferkit.store import Store
from transferkit.study import Study, plan_study
from transferkit.sweep import sweep_together
from transferkit.treatments import parse_run, plan


def study_of(folder: Path, work: Path, kind: str, ranks: Ranks) -> Study:
    """A study of few epochs, or of many with a checkpoint after each step, or of a network with batch normalisation."""
    preset = get_preset("smoke")
    if kind == "long":
        preset = replace(preset, recipe=replace(preset.recipe, epochs=20, augment="mirror"))
    if kind == "normalised":
        preset = replace(preset, net=normalised())
    study = plan_study(open_prepared(folder), preset, "cpu", Store(work), "float32")
    return replace(study, conduct=Conduct(ranks, 0.0 if kind == "long" else 180.0))


def fail_alone(folder: str, work: str) -> None:
    """A sweep for which the memory of the second process is too small."""

    def too_large(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with together("cpu") as ranks:
        if not ranks.leads:
            setattr(experiment, "read_half", too_large)  # noqa: B010 - where it is called
        study = study_of(Path(folder), Path(work), "few", ranks)
        list(sweep_together(study, plan("random0", [0], ["baseA", "baseB"])))


def main(folder: str, work: str, kind: str) -> None:
    """Train baseA, and then a copy of it, and prove that every process has come to the same bits."""
    torch.set_num_threads(1)
    with together("cpu") as ranks:
        study = study_of(Path(folder), Path(work), kind, ranks)
        for label in ("baseA", "A3A+") if kind != "long" else ("baseA",):
            receipt = perform(study, parse_run(label, "random0", 0))
            assert receipt.times.processes == ranks.count


if __name__ == "__main__":
    fail_alone(*sys.argv[1:3]) if sys.argv[3] == "too large" else main(*sys.argv[1:])
