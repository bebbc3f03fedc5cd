"""Train a series, one sweep after the other, or predict how long that takes."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np

from course.evidence.plan import Series
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
class Site:
    """Where series are trained: preset, device (`auto`, `cpu` or `cuda`) and store."""

    preset: Preset
    device: str
    store: Store


@dataclass(frozen=True)
class SeriesStep:
    """One sweep of a series: runs under one setting."""

    study: Study
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Cost:
    """How many networks are planned, how many of them are missing, and how many seconds these take.

    The seconds are NaN without a probe.
    """

    planned: int
    missing: int
    seconds: float


def steps_of(series: Series, site: Site) -> tuple[SeriesStep, ...]:
    """The sweeps of a series, one for each setting; a base comes before the networks that copy from it.

    Raises UsageError when its data are not prepared, DataError when they are damaged.
    """
    prepared = open_prepared(prepared_folder(site.store.work, series.data))
    return steps_under(series, plan_study(prepared, site.preset, site.device, site.store))


def steps_under(series: Series, usual: Study) -> tuple[SeriesStep, ...]:
    """As `steps_of`, given the study of the series' data under the usual setting."""
    runs: dict[Setting, dict[Run, None]] = {}
    for part in series.parts:
        setting = part.setting(usual.setting)
        if setting.source_recipe:  # networks of few images copy from bases that see the whole half
            sources = [run.source_base for run in part.runs() if run.source_base]
            runs.setdefault(setting.of_source, {}).update(dict.fromkeys(sources))
        runs.setdefault(setting, {}).update(dict.fromkeys(part.runs()))
    return tuple(SeriesStep(replace(usual, setting=setting), tuple(chosen)) for setting, chosen in runs.items())


def predict_cost(steps: Sequence[SeriesStep], found: Probe | None) -> Cost:
    """What these steps still have to train, by a probe of this machine's workers; each network counts once."""
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


def run_series(steps: Sequence[SeriesStep], executor: Executor) -> Iterator[Progress]:
    """Train what is missing, step after step, and yield the progress of the current step. Raises as `sweep` does."""
    for step in steps:
        yield from sweep(step.study, step.runs, nullcontext(executor))
    for step in steps:
        if left := missing(step.study, step.runs):
            raise StoreError(
                f"{len(left)} networks have no receipt, for example {left[0].label}: run the same command again."
            )
