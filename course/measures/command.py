"""The command `predict`: its options, and what it does with them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Column, Table

from transferkit.commands import add_grid_options, study_of
from transferkit.console import show_progress
from transferkit.disk import atomic
from transferkit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd


def predict(options: argparse.Namespace) -> None:
    """Draw the curve of AnB that the bases let expect, over it what is trained; bases that are missing come first."""
    from course.measures.expect import expected_curve, kept_rule
    from course.measures.picture import draw_curve
    from transferkit.training.sweep import sweep
    from transferkit.training.workers import default_workers, local_workers

    if options.runs:
        raise UsageError("--runs does not go with predict, which reads both bases and expects every n: leave it out.")
    (study, runs), console = study_of(options), Console()
    rule = kept_rule(study.setting.data, options.split)
    bases = [run for run in runs if run.source is None]
    if not all(study.store.find(run, study.setting) for run in bases):
        console.print("The bases are trained first; nothing is copied.")
        show_progress(sweep(study, bases, local_workers(default_workers(study.setting.device))), console)
    table = expected_curve(study, options.split, options.seeds, rule)
    picture = draw_curve(table, rule, study, options.split)
    console.print(curve_table(table))
    out = options.out or study.store.figures_folder(study.setting.data) / f"expected-{options.split}.png"
    written = [picture.save(out)]
    if options.csv:
        atomic.write_bytes(options.csv, table.to_csv(index=False).encode())
        written.append(options.csv)
    for path in written:
        console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)


def curve_table(table: pd.DataFrame) -> Table:
    """What is expected at each n, in points, and what came out where networks are trained."""
    shown = Table(
        "n", Column("AnB expected", justify="right"), "95 % interval", Column("trained", justify="right"),
        title="Paired difference to base, in points",
    )  # fmt: skip
    for row in table.to_dict("records"):
        trained = f"{100 * row['trained']:+.1f} ({row['networks']})" if row["networks"] else ""
        bounds = f"{100 * row['low']:+.1f} to {100 * row['high']:+.1f}"
        shown.add_row(str(row["n"]), f"{100 * row['expected']:+.1f}", bounds, trained)
    return shown


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add_grid_options(command)
    command.add_argument(
        "--out", type=Path, metavar="FILE", help="the picture, .png, .svg or .pdf (default: expected-SPLIT.png in "
        "figures/DATA of the work folder)"
    )  # fmt: skip
    command.add_argument("--csv", type=Path, metavar="FILE", help="write one row for each n")
