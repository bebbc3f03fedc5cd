"""The commands about a grid of networks: plan, sweep, figures."""

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import torch.distributed as dist
from rich.console import Console

from transferkit.commands.study import study_of
from transferkit.conduct import Conduct
from transferkit.data import open_prepared
from transferkit.errors import UsageError
from transferkit.forecast import probe
from transferkit.progress import show_progress
from transferkit.ranks import Ranks, launched, together
from transferkit.study import Study
from transferkit.sweep import sweep as train
from transferkit.sweep import sweep_together
from transferkit.treatments import Run
from transferkit.workers import cluster_size, cluster_workers, default_workers, local_workers

PATIENCE = timedelta(hours=12)  # to hash ImageNet on a slow disk takes longer than the ten minutes that NCCL waits


def plan(options: argparse.Namespace) -> None:
    """Print what a sweep would train, what is already there, and how long the rest will take here."""
    from transferkit.console import plan_table

    study, runs = study_of(options)
    count = _processes(options, study)
    found = probe(study, count, local_workers(count))
    done = [receipt for run in runs if (receipt := study.store.find(run, study.setting))]
    Console().print(plan_table(study, runs, done, found))


def sweep(options: argparse.Namespace) -> None:
    """Train every network of the grid that is not there yet; started by torchrun, each on all its processes."""
    study, runs = study_of(options, verify=not launched())
    study = replace(study, conduct=_conduct(options, study))
    if launched():
        return _sweep_together(study, runs, options)
    workers, count = _workers(options, study)
    show_progress(train(study, runs, workers, count), Console())
    return None


def _workers(options: argparse.Namespace, study: Study) -> tuple[AbstractContextManager[Executor], int]:
    """Where the networks are trained, and by how many workers, as far as that matters."""
    if options.scheduler:
        return cluster_workers(options.scheduler), cluster_size(options.scheduler) if options.abreast > 1 else 1
    count = _processes(options, study)
    return local_workers(count), count


def _processes(options: argparse.Namespace, study: Study) -> int:
    return default_workers(study.setting.device) if options.workers is None else options.workers


def _conduct(options: argparse.Namespace, study: Study) -> Conduct:
    alone = study.setting.device != "cuda" or launched()
    if options.graphs and alone:
        raise UsageError("--graphs needs a GPU, and one process for each network: leave it out here.")
    if options.abreast < 1 or (options.abreast > 1 and alone):
        raise UsageError(
            f"--abreast {options.abreast} needs a GPU, one process for each network, and a number of 1 or more: leave "
            "it out here."
        )
    return Conduct(
        checkpoint_seconds=60 * options.checkpoint_minutes, graphs=options.graphs, deterministic=options.deterministic,
        abreast=options.abreast,
    )  # fmt: skip


def _sweep_together(study: Study, runs: Sequence[Run], options: argparse.Namespace) -> None:
    if options.workers is not None or options.scheduler:
        raise UsageError("torchrun starts the processes itself: leave out --workers and --scheduler.")
    with together(study.setting.device) as ranks:
        _verify(study, ranks)
        shared = replace(study, conduct=replace(study.conduct, ranks=ranks))
        show_progress(sweep_together(shared, runs), Console(quiet=not ranks.leads))


def _verify(study: Study, ranks: Ranks) -> None:
    """Verify the data in one process of each machine, while the others wait. Raises DataError when they are damaged."""
    many = dist.new_group(backend="gloo", timeout=PATIENCE) if ranks.count > 1 else None
    if os.environ.get("LOCAL_RANK", "0") == "0":
        open_prepared(study.prepared.folder)
    if isinstance(many, dist.ProcessGroup):
        dist.barrier(many)


def figures(options: argparse.Namespace) -> None:
    """Draw Figure 2 and the conv1 sheets of what is there, write grid.csv."""
    from transferkit.console import paired_table  # here, as tables and figures take long to import
    from transferkit.report import write_report

    study, runs = study_of(options)
    report = write_report(study, runs, options.out or study.store.figures_folder(study.setting.data))
    console = Console()
    console.print(paired_table(report.table))
    for path in report.files:
        console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)
