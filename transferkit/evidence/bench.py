"""Carry a study out: its sweeps one after the other, and what they will cost."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np

from transferkit.config import Preset, Setting
from transferkit.data import open_prepared
from transferkit.errors import StoreError
from transferkit.evidence.plan import StudyPlan
from transferkit.experiment import Study, plan_study
from transferkit.store import Store
from transferkit.sweep import Progress, expected_images, missing, relative_cost, sweep
from transferkit.treatments import Run
from transferkit.work import prepared_folder


@dataclass(frozen=True)
class Bench:
    """Where studies are done: preset, device (`auto`, `cpu` or `cuda`) and store."""

    preset: Preset
    device: str
    store: Store


@dataclass(frozen=True)
class Step:
    """One sweep: runs of one setting."""

    study: Study
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Cost:
    """What is left: networks to train of those planned, as the work of so many usual base networks.

    `seconds` is what that takes one worker, from the bases that are done; NaN before there is one.
    """

    planned: int
    missing: int
    bases: float
    seconds: float


def steps_of(plan: StudyPlan, bench: Bench) -> tuple[Step, ...]:
    """The sweeps of a study, one per setting; bases come before the step whose networks copy from them.

    Raises UsageError when its data are not prepared, DataError when they are damaged.
    """
    prepared = open_prepared(prepared_folder(bench.store.work, plan.data))
    usual = plan_study(prepared, bench.preset, bench.device, bench.store)
    runs: dict[Setting, dict[Run, None]] = {}
    for part in plan.parts:
        setting = part.setting(usual.setting)
        if setting.source_recipe:  # the bases of the whole half
            sources = [run.source_base for run in part.runs() if run.source_base]
            runs.setdefault(setting.of_source, {}).update(dict.fromkeys(sources))
        runs.setdefault(setting, {}).update(dict.fromkeys(part.runs()))
    return tuple(Step(replace(usual, setting=setting), tuple(chosen)) for setting, chosen in runs.items())


def predict_cost(steps: Sequence[Step], preset: Preset) -> Cost:
    """What these steps still have to train under this preset, each network counted once."""
    left: dict[tuple[Setting, Run], float] = {}
    everything: set[tuple[Setting, Run]] = set()
    seconds: list[float] = []
    for step in steps:
        study, setting = step.study, step.study.setting
        usual = replace(study, setting=replace(setting, recipe=preset.recipe, source_recipe=None))
        everything |= {(setting, run) for run in step.runs}
        for run in missing(study, step.runs):
            left[setting, run] = relative_cost(study, run) * _passes(study, run) / _passes(usual, run)
        bases = [usual.store.find(run, usual.setting) for run in step.runs if run.source is None]
        seconds += [receipt.times.seconds for receipt in bases if receipt]
    total = sum(left.values())
    return Cost(len(everything), len(left), total, total * float(np.mean(seconds)) if seconds else np.nan)


def _passes(study: Study, run: Run) -> float:
    """Training images, and validation images at a third: they go forward only. Counts where epochs are short."""
    first, last = study.prepared.manifest.valid
    half = len(study.prepared.split(run.split).classes(run.target)) / len(study.prepared.manifest.classes)
    return expected_images(study, run) + study.setting.recipe.epochs * (last - first) * half / 3


def run_study(steps: Sequence[Step], executor: Executor) -> Iterator[Progress]:
    """Train what is missing, step after step; the progress is of the step at work. Raises as `sweep`."""
    for step in steps:
        yield from sweep(step.study, step.runs, nullcontext(executor))
    for step in steps:
        if left := missing(step.study, step.runs):
            raise StoreError(f"{len(left)} networks have no receipt, as {left[0].label}: run the same command again.")
