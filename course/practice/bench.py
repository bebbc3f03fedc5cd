"""What a curve is measured on and with, and where it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from course.practice.features import PROTOCOL
from course.practice.folds import divide, write_fold
from course.practice.networks import Design, Job, preset_for, recipe_for
from course.practice.pictures import Numbers, Pictures
from transferkit.config import Device, digest
from transferkit.disk.store import Store, Weights
from transferkit.specs import Net
from transferkit.training.data import open_prepared
from transferkit.training.study import Study, plan_study


@dataclass(frozen=True)
class Bench:
    """What a curve is measured on and with: pictures, network, given weights, folds, seeds, device and store."""

    pictures: Pictures
    net: Net
    weights: Weights
    given: str  # the name of the weights in the store, their SHA-256
    folds: int
    seeds: tuple[int, ...]
    device: Device
    store: Store

    @cached_property
    def folder(self) -> Path:
        """Where features and answers are kept."""
        manifest = self.pictures.prepared.manifest
        name = digest(
            (manifest.checksum(), self.net, self.given, self.folds, recipe_for(len(self.pictures.labels), 1), PROTOCOL)
        )
        return self.store.work / "curve" / f"{manifest.name}-{self.net.name.replace('/', '-')}-{name}"

    @property
    def n_classes(self) -> int:
        """The number of classes."""
        return len(self.pictures.prepared.manifest.classes)

    @cached_property
    def fold_of(self) -> Mapping[int, Numbers]:
        """By seed: for each picture the fold that validates it."""
        return {seed: divide(self.pictures.labels, self.pictures.copies, self.folds, seed) for seed in self.seeds}

    def study(self, seed: int, fold: int, epochs: int) -> Study:
        """The study of one fold; its data are written when they are first needed."""
        fold_of = self.fold_of[seed]
        name = f"{self.pictures.prepared.manifest.name}-seed{seed}-fold{fold + 1}of{self.folds}"
        folder = write_fold(self.pictures, fold_of, fold, self.folder / name)
        preset = preset_for(self.net, int((fold_of != fold).sum()), epochs)
        study = plan_study(open_prepared(folder, verify=False), preset, self.device, self.store)
        return replace(study, setting=replace(study.setting, given=self.given))

    def jobs(self, design: Design) -> tuple[Job, ...]:
        """The networks of a design."""
        return tuple(
            Job(self.study(seed, fold, epochs), run, fold)
            for seed in self.seeds for fold in range(design.folds) for run, epochs in design.runs(seed)
        )  # fmt: skip
