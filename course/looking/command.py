"""The command `filters`: its options, and what it does with them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from data_prep import ensure
from transferkit.commands import add_grid_options, study_of
from transferkit.console import clock, show_progress
from transferkit.disk import atomic
from transferkit.disk.prepared import find_work_folder, prepared_folder
from transferkit.errors import UsageError

if TYPE_CHECKING:
    from course.looking.first_layer import NamedFilters
    from transferkit.gabor.fit import Each, Weights
    from transferkit.training.study import Study
    from transferkit.treatments import Run

TELL_SECONDS = 5  # after which, and how often, a long fit tells how far it is


def filters(options: argparse.Namespace) -> None:
    """Find the Gabors and colour blobs in a first layer: of any --weights, or of bases, which it trains if need be."""
    import pandas as pd

    from course.looking.control import scrambled_filters
    from course.looking.imagenet import IMAGENET, imagenet_fits, imagenet_sheet
    from course.looking.kinds import fit_table
    from course.looking.sheets import shares_table, study_filters, write_filters, write_forming
    from transferkit.gabor.fit import SMALLEST_SIDE

    console, each = Console(), _telling(Console(stderr=True))
    if options.weights:
        networks, out = _brought(options, console), options.out or Path.cwd()
    elif options.layer or options.bands:
        raise UsageError("--layer, --bgr and --bands go with --weights FILE: name the network whose filters to show.")
    else:
        study, bases = _trained_bases(options, console)
        networks, out = study_filters(study, bases), options.out or study.store.figures_folder(study.setting.data)
        if not is_picture(out):
            film = write_forming(study, bases, out)
            console.print(f"wrote {film}", markup=False, highlight=False, soft_wrap=True)
    first = next(iter(networks.values()))
    if first.weights.shape[-1] < SMALLEST_SIDE:
        console.print(f"Filters of less than {SMALLEST_SIDE} pixels cannot hold a wave: nothing is fitted to these.")
    tables = write_filters(networks, out, each)
    others = {f"{first.source} scrambled": fit_table(scrambled_filters(first.weights), each)}
    if not options.weights and not is_picture(out):
        others[IMAGENET] = imagenet_fits()
        sheet = imagenet_sheet()
        for ending in ("png", "svg", "pdf"):
            sheet.save(out / f"imagenet-filters.{ending}")
    console.print(shares_table(tables | others, str(first)))
    if options.csv:
        atomic.write_bytes(options.csv, pd.concat(tables.values()).to_csv(index=False).encode())
    for name in (*networks, *(["imagenet"] if IMAGENET in others else [])):
        written = f"{out}" if is_picture(out) else f"{out / name}-filters.png, and as .svg and .pdf"
        console.print(f"wrote {written}", markup=False, highlight=False, soft_wrap=True)


def _brought(options: argparse.Namespace, console: Console) -> dict[str, NamedFilters]:
    """The first layer of --weights by the file's name; says which it is, and which it might have been."""
    from course.looking.first_layer import load_filters

    found = load_filters(options.weights, options.layer, options.bands and tuple(options.bands))
    others = f"; others with --layer: {', '.join(found.others[:8])}" if found.others else ""
    console.print(f"{found} of {found.source}{others}", markup=False, highlight=False, soft_wrap=True)
    name = Path(options.weights).stem
    return {name: replace(found, source=name)}


def _telling(console: Console) -> Each:
    """What passes filters on to their fits, and tells every few seconds how far these are."""

    def each(weights: Iterable[Weights]) -> Iterator[Weights]:
        filters = list(weights)
        began = told = time.monotonic()
        for done, one in enumerate(filters):
            if (now := time.monotonic()) - told > TELL_SECONDS:
                left, told = (now - began) * (len(filters) - done) / max(done, 1), now
                console.print(f"fitted {done} of {len(filters)} filters, {clock(left)} left", highlight=False)
            yield one

    return each


def _trained_bases(options: argparse.Namespace, console: Console) -> tuple[Study, list[Run]]:
    """The study and the bases among its runs. What is missing is made first: the data set, if it can be drawn."""
    from transferkit.training.sweep import sweep as train
    from transferkit.training.workers import default_workers, local_workers

    work = options.work or find_work_folder()
    try:
        prepared_folder(work, options.data)
    except UsageError:
        ensure(options.data, work)
    study, runs = study_of(options)
    bases = [run for run in runs if run.source is None]
    if options.out and is_picture(options.out) and len({run.label for run in bases}) > 1:
        raise UsageError(f"--out {options.out} holds one sheet: name a folder, or one base, as in --runs baseA.")
    if not all(study.store.find(run, study.setting) for run in bases):
        show_progress(train(study, bases, local_workers(default_workers(study.setting.device))), console)
    return study, bases


def is_picture(out: Path) -> bool:
    """Whether a path names a picture's file rather than a folder."""
    return out.suffix.lower() in (".png", ".svg", ".pdf") and not out.is_dir()


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add_grid_options(command)
    add = command.add_argument
    add(
        "--out", type=Path, help="folder to write, or a file that ends in .png, .svg or .pdf (default: figures/DATA in "
        "the work folder; with --weights, the current folder)"
    )  # fmt: skip
    add("--weights", help="a safetensors or PyTorch file, or the name of torchvision's weights")
    add("--layer", help="its layer (default: the first that looks at images)")
    channels = command.add_mutually_exclusive_group()
    channels.add_argument(
        "--bgr", dest="bands", action="store_const", const=(3, 2, 1), help="the network reads blue, green, red, as "
        "those from Caffe and all that read images with OpenCV do: show its filters in true colours"
    )  # fmt: skip
    channels.add_argument(
        "--bands", type=int, nargs=3, metavar=("R", "G", "B"), help="of a layer with more than three channels, those "
        "to show as red, green and blue, from 1 on"
    )  # fmt: skip
    add("--csv", type=Path, metavar="FILE", help="write one row per filter, with all numbers of its fit")
