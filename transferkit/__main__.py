"""The command line: `python -m transferkit COMMAND`, also installed as `transferkit`."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from transferkit import __version__, atomic
from transferkit.batch import command as batch
from transferkit.config import get_preset, presets
from transferkit.console import paired_table, plan_table, shares_table, show_progress
from transferkit.data import open_prepared
from transferkit.errors import TransferkitError, UsageError
from transferkit.experiment import Study, plan_study
from transferkit.first_layer import fit_table, untrained_filters
from transferkit.foreign import load_filters
from transferkit.gabor import SMALLEST_SIDE
from transferkit.report import study_filters, write_filters, write_report
from transferkit.store import Store
from transferkit.sweep import missing, sweep
from transferkit.treatments import Run, plan
from transferkit.work import find_work_folder, prepared_folder
from transferkit.workers import cluster_workers, default_workers, local_workers


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0 when done, 1 when something failed, 2 for wrong usage."""
    options = parser().parse_args(arguments)
    errors = Console(stderr=True)
    logging.basicConfig(level=logging.WARNING, format="transferkit: %(message)s")
    try:
        options.command(options)
    except TransferkitError as problem:
        if options.debug:
            raise
        errors.print(f"transferkit: {problem}", style="bold red", markup=False, highlight=False, soft_wrap=True)
        return 2 if isinstance(problem, UsageError) else 1
    except KeyboardInterrupt:
        errors.print("stopped; what is done is kept, the same command goes on from there.", style="bold")
        return 130
    return 0


def _plan(options: argparse.Namespace) -> None:
    study, runs = _study(options)
    Console().print(plan_table(study, runs, frozenset(runs) - frozenset(missing(study, runs))))


def _sweep(options: argparse.Namespace) -> None:
    study, runs = _study(options)
    if options.scheduler:
        workers = cluster_workers(options.scheduler)
    else:
        workers = local_workers(options.workers or default_workers(study.setting.device))
    show_progress(sweep(study, runs, workers), Console())


def _figures(options: argparse.Namespace) -> None:
    study, runs = _study(options)
    report = write_report(study, runs, options.out or study.store.figures_folder(study.setting.data))
    console = Console()
    console.print(paired_table(report.table))
    for path in report.files:
        console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)


def _filters(options: argparse.Namespace) -> None:
    console = Console()
    if options.weights:
        brought = load_filters(options.weights, options.layer)
        name, weights = Path(options.weights).stem, brought.weights
        networks = {name: weights}
        folder = options.out or Path.cwd()
        console.print(f"{brought.layer} of {brought.source}", markup=False, highlight=False, soft_wrap=True)
        if weights.shape[-1] < SMALLEST_SIDE:
            console.print(
                f"Filters of less than {SMALLEST_SIDE} pixels cannot hold a wave: nothing is fitted to these."
            )
    elif options.csv or options.layer:
        raise UsageError("--csv and --layer go with --weights FILE: name the network whose filters to list.")
    else:
        study, runs = _study(options)
        networks = study_filters(study, runs)
        folder = options.out or study.store.figures_folder(study.setting.data)
    tables = write_filters(networks, folder)
    control = {"white noise": fit_table(untrained_filters(next(iter(networks.values()))))}
    console.print(shares_table(tables | control))
    if options.csv:
        atomic.write_bytes(options.csv, tables[name].to_csv(index=False).encode())
    for name in networks:
        console.print(f"wrote {folder / f'{name}-filters.png'}", markup=False, highlight=False, soft_wrap=True)


def _study(options: argparse.Namespace) -> tuple[Study, tuple[Run, ...]]:
    store = Store(options.work or find_work_folder())
    preset = get_preset(options.preset)
    runs = plan(options.split, options.seeds, options.runs)
    prepared = open_prepared(prepared_folder(store.work, options.data))
    prepared.split(options.split)  # refuses a split that these classes cannot be divided by
    return plan_study(prepared, preset, options.device, store), runs


def parser() -> argparse.ArgumentParser:
    """The parser of every command, for `main` and for whoever checks a command line."""
    top = argparse.ArgumentParser(prog="transferkit", description="How transferable are the features of a network?")
    top.add_argument("--version", action="version", version=f"transferkit {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for name, action, purpose in (
        ("plan", _plan, "print what a sweep would train, and what is already there"),
        ("sweep", _sweep, "train every network of the grid that is not there yet"),
        ("figures", _figures, "draw Figure 2 and the conv1 sheets of what is there, write grid.csv"),
        ("filters", _filters, "find the Gabors and colour blobs in a first layer: of the bases, or of any --weights"),
    ):
        command = commands.add_parser(name, help=purpose, description=f"{purpose.capitalize()}.")
        command.set_defaults(command=action)
        _add_study_options(command)
        if name == "sweep":
            _add_worker_options(command)
        if name in ("figures", "filters"):
            command.add_argument("--out", type=Path, help="folder to write (default: figures/DATA in the work folder)")
        if name == "filters":
            _add_weights_options(command)
    purpose = "run notebooks with sets of parameters, and write one page about them"
    command = commands.add_parser("batch", help=purpose, description=f"{purpose.capitalize()}.")
    command.set_defaults(command=batch.run)
    batch.add_options(command)
    return top


def _add_study_options(command: argparse.ArgumentParser) -> None:
    purposes = "; ".join(f"{preset.name}: {preset.purpose}" for preset in presets().values())
    command.add_argument("--data", default="photos", help="a prepared data set, by name or folder (default: photos)")
    command.add_argument("--preset", default="quick", help=f"{purposes} (default: quick)")
    command.add_argument("--split", default="random0", help="random0..random3, natural or overlap-x (default: random0)")
    command.add_argument("--seeds", type=int, nargs="+", default=[0], metavar="SEED", help="default: 0")
    command.add_argument("--runs", nargs="+", default=[], metavar="LABEL", help="only these, as in A3B+ B3B R3B")
    command.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    command.add_argument("--work", type=Path, help="the work folder (default: TRANSFERKIT_WORK, else ./work)")
    command.add_argument("--debug", action="store_true", help="show the traceback of an error")


def _add_weights_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--weights", help="a safetensors or PyTorch file, or the name of torchvision's weights; --out is then the "
        "current folder by default"
    )  # fmt: skip
    command.add_argument("--layer", help="its layer (default: the first that looks at colour images)")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write one row per filter")


def _add_worker_options(command: argparse.ArgumentParser) -> None:
    where = command.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, help="processes here (default: one per CPU core, or one for a GPU)")
    where.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler, as in tcp://host:8786")


if __name__ == "__main__":
    sys.exit(main())
