"""The command about first layers."""

import argparse
from pathlib import Path

from rich.console import Console

from transferkit import atomic
from transferkit.commands.study import study_of
from transferkit.console import shares_table
from transferkit.errors import UsageError
from transferkit.first_layer import fit_table, untrained_filters
from transferkit.foreign import load_filters
from transferkit.gabor import SMALLEST_SIDE
from transferkit.report import study_filters, write_filters


def filters(options: argparse.Namespace) -> None:
    """Find the Gabors and colour blobs in a first layer: of the bases, or of any --weights."""
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
        study, runs = study_of(options)
        networks = study_filters(study, runs)
        folder = options.out or study.store.figures_folder(study.setting.data)
    tables = write_filters(networks, folder)
    control = {"white noise": fit_table(untrained_filters(next(iter(networks.values()))))}
    console.print(shares_table(tables | control))
    if options.csv:
        atomic.write_bytes(options.csv, tables[name].to_csv(index=False).encode())
    for name in networks:
        console.print(f"wrote {folder / f'{name}-filters.png'}", markup=False, highlight=False, soft_wrap=True)
