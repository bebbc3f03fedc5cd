"""The series of the evidence as lessons use them: choose some, predict their cost, train them, read their tables."""

from collections.abc import Sequence

import pandas as pd
from rich.table import Table

from course.evidence import collect
from course.evidence.claims import Evidence, read_evidence
from course.evidence.plan import Series, all_series, choose_series, smoke_series
from course.evidence.show import series_table
from course.evidence.sweeps import Site, predict_cost, run_series, steps_of
from transferkit import console
from transferkit.config import get_preset
from transferkit.disk.prepared import find_work_folder
from transferkit.disk.store import Store
from transferkit.errors import StoreError
from transferkit.training.forecast import probe
from transferkit.training.machine import choose_device
from transferkit.training.workers import default_workers, local_workers

SMOKE = "smoke"  # at this preset a series is a handful of networks


def open_site(preset: str, device: str = "auto") -> Site:
    """Where a lesson trains its series: a preset by name, a device, and the usual work folder."""
    return Site(get_preset(preset), device, Store(find_work_folder()))


def choose(names: Sequence[str], data: str, site: Site) -> tuple[Series, ...]:
    """The named series on `data`, cut to a handful of networks at the preset smoke. Raises UsageError for others."""
    return choose_series(smoke_series(data) if site.preset.name == SMOKE else all_series(data), names)


def cost_table(chosen: Sequence[Series], site: Site) -> Table:
    """How many networks each series still has to train, and in how many minutes.

    A probe of this machine predicts the minutes; at the preset smoke there is none. Raises as `steps_of` does.
    """
    steps = {series.name: steps_of(series, site) for series in chosen}
    workers = default_workers(choose_device(site.device))
    first = steps[chosen[0].name][0].study
    found = None if site.preset.name == SMOKE else probe(first, workers, local_workers(workers))
    return series_table({name: predict_cost(some, found) for name, some in steps.items()}, workers)


def train_series(series: Series, site: Site) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train what a series lacks, with one line of progress; return the two tables of `tabulate_series`.

    After an interruption, the next call goes on from there. Raises StoreError when a network could not be trained.
    """
    steps = steps_of(series, site)
    with local_workers(default_workers(choose_device(site.device))) as executor:
        console.show_progress_in_notebook(run_series(steps, executor))
    return collect.tabulate_series(steps)


def carry_out(chosen: Sequence[Series], site: Site) -> Evidence:
    """Train what the series lack, and write their tables to where `python -m transferkit evidence` writes its own.

    Return these tables and those of other series in that folder. Raises as `collect.train_and_collect` does.
    """
    steps = {series.name: steps_of(series, site) for series in chosen}
    folder = site.store.work / ("evidence-smoke" if site.preset.name == SMOKE else "evidence")
    return collect.train_and_collect(
        steps, folder, default_workers(choose_device(site.device)),
        lambda _, progress: console.show_progress_in_notebook(progress),
    )  # fmt: skip


def read_kept() -> Evidence:
    """The tables of networks that come with the repository. Raises StoreError outside a checkout."""
    folder = collect.kept_evidence()
    if folder is None:
        raise StoreError(
            "there are no kept tables beside this library: clone the repository and install it from there."
        )
    return read_evidence(folder)
