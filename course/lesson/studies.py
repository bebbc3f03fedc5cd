"""Studies of the evidence as a lesson carries them out: choose, say what they cost, train, read."""

from collections.abc import Sequence

import pandas as pd
from rich.table import Table

from course import evidence
from course.evidence import Bench, StudyPlan
from course.evidence.claims import Evidence, read_evidence
from course.evidence.collect import refuse_mixing
from transferkit import console as progress
from transferkit.config import get_preset
from transferkit.disk.prepared import find_work_folder
from transferkit.disk.store import Store
from transferkit.errors import StoreError
from transferkit.training.forecast import probe
from transferkit.training.machine import choose_device
from transferkit.training.workers import default_workers, local_workers

SMOKE = "smoke"  # the preset for which the studies are cut to a handful of networks


def open_bench(preset: str, device: str = "auto") -> Bench:
    """Where a lesson's studies are done: a preset by name, in the usual work folder."""
    return Bench(get_preset(preset), device, Store(find_work_folder()))


def choose(names: Sequence[str], data: str, bench: Bench) -> tuple[StudyPlan, ...]:
    """The studies named, on `data`; a handful of networks each at the preset smoke. Raises UsageError for no study."""
    known = evidence.smoke_studies(data) if bench.preset.name == SMOKE else evidence.studies(data)
    return evidence.choose_studies(known, names)


def cost_table(plans: Sequence[StudyPlan], bench: Bench) -> Table:
    """What each study still has to train, and the minutes that takes here by a probe; the preset smoke has no probe.

    Raises as `evidence.steps_of`.
    """
    steps = {plan.name: evidence.steps_of(plan, bench) for plan in plans}
    workers = default_workers(choose_device(bench.device))
    first = steps[plans[0].name][0].study
    found = None if bench.preset.name == SMOKE else probe(first, workers, local_workers(workers))
    return evidence.cost_table({name: evidence.predict_cost(chosen, found) for name, chosen in steps.items()}, workers)


def train_study(plan: StudyPlan, bench: Bench) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train what a study lacks, under one line; its networks and its epochs, as of `evidence.tabulate_study`.

    Stopped, it goes on from there when it is called again. Raises StoreError when a network could not be trained.
    """
    steps = evidence.steps_of(plan, bench)
    with local_workers(default_workers(choose_device(bench.device))) as executor:
        progress.show_progress_in_notebook(evidence.run_study(steps, executor))
    return evidence.tabulate_study(steps)


def carry_out(plans: Sequence[StudyPlan], bench: Bench) -> Evidence:
    """Train what the studies lack, write their tables where `python -m transferkit evidence` does, and read them.

    Tables of other studies that are there already are read as well. Raises as `train_study`, and DataError, before
    anything is trained, when those are of other data or of another kind of network.
    """
    steps = {plan.name: evidence.steps_of(plan, bench) for plan in plans}
    folder = bench.store.work / ("evidence-smoke" if bench.preset.name == SMOKE else "evidence")
    refuse_mixing(steps, folder)
    with local_workers(default_workers(choose_device(bench.device))) as executor:
        for name, chosen in steps.items():
            progress.show_progress_in_notebook(evidence.run_study(chosen, executor))
            evidence.write_study(name, chosen, folder)
    every = [step for chosen in steps.values() for step in chosen]
    evidence.write_conv1(every, bench.preset.recipe, folder)
    evidence.write_provenance(steps, folder)
    return read_evidence(folder)


def read_kept() -> Evidence:
    """The tables of networks that come with the repository. Raises StoreError outside a checkout."""
    folder = evidence.kept_evidence()
    if folder is None:
        raise StoreError(
            "there are no kept tables beside this library: clone the repository and install it from there."
        )
    return read_evidence(folder)
