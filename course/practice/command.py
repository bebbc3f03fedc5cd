"""The command `curve`: its options, and what it does with them."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

from rich.console import Console

from transferkit.commands import add_usual_options
from transferkit.console import clock


def curve(options: argparse.Namespace) -> None:
    """Measure how many layers of given weights to freeze, fine-tune or train anew for a folder of pictures."""
    from course.practice import curve as measure
    from course.practice.planning import Limits
    from transferkit.disk.prepared import find_work_folder
    from transferkit.disk.store import Store

    work, console = options.work or find_work_folder(), Console()
    limits = {field.name: getattr(options, field.name) for field in fields(Limits)}
    found = measure(options.weights, options.data, options.net, work, console, **limits)
    folder = options.out or Store(work).figures_folder(found.data) / "curve"
    for path in found.save(folder):
        console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"this call took {clock(found.seconds)}", highlight=False)
    console.print(found.text, markup=False, highlight=False, soft_wrap=True)


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add = command.add_argument
    add("--weights", required=True, metavar="FILE", help="given weights: a safetensors file, a PyTorch state dict, or "
        "efficientnet-lite0, which ImageNet trained, where it is installed")  # fmt: skip
    add("--net", metavar="NAME", help="the network they are of (default: that of installed weights, or resnet18)")
    add("--data", required=True, metavar="FOLDER", help="a folder with a folder of pictures for each class, a prepared "
        "data set, or tiles, the example")  # fmt: skip
    add("--size", type=int, metavar="PIXELS", help="side that pictures are fitted to (default: 64, or the network's)")
    add("--folds", type=int, default=5, help="each picture is validated in one of them (default: 5)")
    add("--minutes", type=float, default=15.0, help="time for all of it on this machine (default: 15)")
    add("--frozen-only", action="store_true", help="train linear heads alone, which takes the fewest minutes")
    add("--statistics", action="store_true", help="also heads on weights of which only each tensor's mean and "
        "deviation are kept")  # fmt: skip
    add("--epochs", type=int, help="of fine-tuning (default: as many as the pictures need)")
    add("--seeds", type=int, nargs="+", default=[0], metavar="SEED", help="each divides and trains anew (default: 0)")
    add("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    add("--out", type=Path, metavar="FOLDER", help="folder to write (default: figures/DATA/curve in the work folder)")
    add_usual_options(command)
