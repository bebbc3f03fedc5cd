"""Carry a study out: its sweeps one after the other, and what they will cost."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np

from course.evidence.plan import StudyPlan
from transferkit.config import Preset, Setting
from transferkit.disk.prepared import prepared_folder
from transferkit.disk.store import Store
from transferkit.errors import StoreError
from transferkit.training.data import open_prepared
from transferkit.training.forecast import Probe, forecast
from transferkit.training.study import Study, plan_study
from transferkit.training.sweep import Progress, missing, sweep
from transferkit.treatments import Run


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
    """What is left: networks to train of those planned, and the seconds that takes; NaN without a probe."""

    planned: int
    missing: int
    seconds: float


def steps_of(plan: StudyPlan, bench: Bench) -> tuple[Step, ...]:
    """The sweeps of a study, one per setting; bases come before the step whose networks copy from them.

    Raises UsageError when its data are not prepared, DataError when they are damaged.
    """
    prepared = open_prepared(prepared_folder(bench.store.work, plan.data))
    return steps_under(plan, plan_study(prepared, bench.preset, bench.device, bench.store))


def steps_under(plan: StudyPlan, usual: Study) -> tuple[Step, ...]:
    """The sweeps of a plan as `steps_of`, when the study of its data under the usual setting is there already."""
    runs: dict[Setting, dict[Run, None]] = {}
    for part in plan.parts:
        setting = part.setting(usual.setting)
        if setting.source_recipe:  # the bases of the whole half
            sources = [run.source_base for run in part.runs() if run.source_base]
            runs.setdefault(setting.of_source, {}).update(dict.fromkeys(sources))
        runs.setdefault(setting, {}).update(dict.fromkeys(part.runs()))
    return tuple(Step(replace(usual, setting=setting), tuple(chosen)) for setting, chosen in runs.items())


def predict_cost(steps: Sequence[Step], found: Probe | None) -> Cost:
    """What these steps still have to train, each network counted once, by a probe of this machine's workers."""
    planned: set[tuple[Setting, Run]] = set()
    left: set[tuple[Setting, Run]] = set()
    seconds = 0.0
    for step in steps:
        setting = step.study.setting
        todo = [run for run in missing(step.study, step.runs) if (setting, run) not in left]
        planned |= {(setting, run) for run in step.runs}
        left |= {(setting, run) for run in todo}
        if todo:
            seconds += np.nan if found is None else forecast(step.study, todo, found)
    return Cost(len(planned), len(left), seconds)


def run_study(steps: Sequence[Step], executor: Executor) -> Iterator[Progress]:
    """Train what is missing, step after step; the progress is of the step at work. Raises as `sweep`."""
    for step in steps:
        yield from sweep(step.study, step.runs, nullcontext(executor))
    for step in steps:
        if left := missing(step.study, step.runs):
            raise StoreError(f"{len(left)} networks have no receipt, as {left[0].label}: run the same command again.")
