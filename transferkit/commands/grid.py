"""The commands about a grid of networks: plan, sweep, figures."""

import argparse
from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console

from transferkit.commands.study import study_of
from transferkit.conduct import Conduct
from transferkit.console import paired_table, plan_table, show_progress
from transferkit.errors import UsageError
from transferkit.experiment import Study
from transferkit.forecast import probe
from transferkit.ranks import launched, together
from transferkit.report import write_report
from transferkit.sweep import sweep as train
from transferkit.sweep import sweep_together
from transferkit.treatments import Run
from transferkit.workers import cluster_workers, default_workers, local_workers


def plan(options: argparse.Namespace) -> None:
    """Print what a sweep would train, what is already there, and how long the rest will take here."""
    study, runs = study_of(options)
    count = default_workers(study.setting.device) if options.workers is None else options.workers
    found = probe(study, count, local_workers(count))
    done = [receipt for run in runs if (receipt := study.store.find(run, study.setting))]
    Console().print(plan_table(study, runs, done, found))


def sweep(options: argparse.Namespace) -> None:
    """Train every network of the grid that is not there yet; started by torchrun, each on all its processes."""
    study, runs = study_of(options)
    study = replace(study, conduct=_conduct(options, study))
    if launched():
        return _sweep_together(study, runs, options)
    if options.scheduler:
        workers = cluster_workers(options.scheduler)
    else:
        default = default_workers(study.setting.device)
        workers = local_workers(default if options.workers is None else options.workers)
    show_progress(train(study, runs, workers), Console())
    return None


def _conduct(options: argparse.Namespace, study: Study) -> Conduct:
    if options.graphs and (study.setting.device != "cuda" or launched()):
        raise UsageError("--graphs needs a GPU, and one process for each network: leave it out here.")
    return Conduct(
        checkpoint_seconds=60 * options.checkpoint_minutes, graphs=options.graphs, deterministic=options.deterministic
    )


def _sweep_together(study: Study, runs: Sequence[Run], options: argparse.Namespace) -> None:
    if options.workers is not None or options.scheduler:
        raise UsageError("torchrun starts the processes itself: leave out --workers and --scheduler.")
    with together(study.setting.device) as ranks:
        shared = replace(study, conduct=replace(study.conduct, ranks=ranks))
        show_progress(sweep_together(shared, runs), Console(quiet=not ranks.leads))


def figures(options: argparse.Namespace) -> None:
    """Draw Figure 2 and the conv1 sheets of what is there, write grid.csv."""
    study, runs = study_of(options)
    report = write_report(study, runs, options.out or study.store.figures_folder(study.setting.data))
    console = Console()
    console.print(paired_table(report.table))
    for path in report.files:
        console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)
