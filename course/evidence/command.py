"""The commands `evidence` and `claims`: train what the claims need, and say which of them hold.

What is slow to import is imported where a command uses it, so that help is answered at once.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from transferkit.commands import add_usual_options, named_net
from transferkit.config import get_preset
from transferkit.console import show_progress
from transferkit.disk.prepared import find_work_folder, prepared_folder
from transferkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from course.evidence.claims import Evidence
    from course.evidence.sweeps import SeriesStep
    from transferkit.training.sweep import Progress


def add_evidence_options(command: argparse.ArgumentParser) -> None:
    """What `evidence` takes."""
    command.add_argument("--only", nargs="+", default=[], metavar="SERIES", help="only these series (default: all)")
    command.add_argument("--predict", action="store_true", help="only print how much is left to train")
    command.add_argument("--smoke", action="store_true", help="a few tiny networks: the whole path, no science")
    command.add_argument(
        "--splits", type=int, default=4, metavar="N", help="random splits of the series similar and longer (default: 4)"
    )
    command.add_argument("--data", default="photos", help="of all series but the dial (default: photos)")
    command.add_argument("--preset", default="quick", help="as for sweep (default: quick)")
    command.add_argument("--net", metavar="NAME", help="as for sweep (default: the preset's)")
    command.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    command.add_argument("--workers", type=int, help="processes here (default: one per CPU core, or one per GPU)")
    command.add_argument("--out", type=Path, help="folder of the tables (default: evidence in the work folder)")
    add_usual_options(command)


def add_claims_options(command: argparse.ArgumentParser) -> None:
    """What `claims` takes."""
    command.add_argument("--authors", action="store_true", help="the authors' own networks beside ours")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write one row per claim")
    command.add_argument("--evidence", type=Path, help="folder of the tables (default: evidence in the work folder)")
    add_usual_options(command)


def evidence(options: argparse.Namespace) -> None:
    """Train the series, write their tables, the ledger and all figures, and show the ledger."""
    from course.evidence.collect import train_and_collect
    from course.evidence.pictures import write_pictures
    from course.evidence.plan import all_series, choose_series, of_layers, smoke_series
    from course.evidence.sweeps import Site, steps_of
    from transferkit.disk.store import Store
    from transferkit.training.data import open_prepared
    from transferkit.training.machine import choose_device
    from transferkit.training.workers import default_workers

    store, console = Store(options.work or find_work_folder()), Console()
    preset = get_preset("smoke" if options.smoke else options.preset)
    prepared = open_prepared(prepared_folder(store.work, options.data), verify=False)
    preset = replace(preset, net=named_net(options.net, preset, prepared.manifest)) if options.net else preset
    site = Site(preset, options.device, store)
    grouped = prepared.can_split("apart0")
    known = smoke_series(options.data) if options.smoke else all_series(options.data, options.splits, grouped=grouped)
    known = of_layers(known, preset.net.layers)
    steps = {series.name: steps_of(series, site) for series in choose_series(known, options.only)}
    workers = default_workers(choose_device(options.device)) if options.workers is None else options.workers
    _show_costs(steps, workers, console, probed=not options.smoke)
    if options.predict:
        return
    folder = options.out or store.work / ("evidence-smoke" if options.smoke else "evidence")

    def watch(name: str, progress: Iterator[Progress]) -> None:
        console.print(name, style="bold")
        show_progress(progress, console)

    found = train_and_collect(steps, folder, workers, watch)
    _show(found, None, folder / "claims.csv", console)
    for path in write_pictures(found, folder):
        console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)


def claims(options: argparse.Namespace) -> None:
    """Show the ledger of the tables in the work folder, and beside it the authors' own if asked for.

    While there are none, show that of the tables in the repository. Raises UsageError for a missing --evidence folder.
    """
    from course.evidence.claims import authors_evidence, ledger, read_evidence
    from course.evidence.collect import kept_evidence

    if options.evidence and not options.evidence.is_dir():
        raise UsageError(
            f"there is no folder {options.evidence}: give --evidence the folder with the tables of "
            "'python -m transferkit evidence'."
        )
    folder = options.evidence or (options.work or find_work_folder()) / "evidence"
    if not folder.exists() and not options.evidence and (kept := kept_evidence()):
        Console().print("Nothing is trained here yet: these networks come with the repository.")
        folder = kept
    authors = ledger(authors_evidence(), published=True) if options.authors else None
    _show(read_evidence(folder), authors, options.csv, Console())


def _show_costs(steps: dict[str, tuple[SeriesStep, ...]], workers: int, console: Console, *, probed: bool) -> None:
    from course.evidence.show import series_table
    from course.evidence.sweeps import predict_cost
    from transferkit.training.forecast import probe
    from transferkit.training.workers import local_workers

    study = next(iter(steps.values()))[0].study
    found = probe(study, workers, local_workers(workers)) if probed else None
    costs = {name: predict_cost(chosen, found) for name, chosen in steps.items()}
    costs["all together"] = predict_cost([step for chosen in steps.values() for step in chosen], found)
    console.print(series_table(costs, workers))


def _show(found: Evidence, authors: pd.DataFrame | None, csv: Path | None, console: Console) -> None:
    from course.evidence.claims import ledger
    from course.evidence.show import beside, claims_table
    from transferkit.disk import atomic

    ours = ledger(found)
    console.print(claims_table(ours, authors))
    if csv is not None:
        table = ours if authors is None else beside(ours, authors)
        atomic.write_bytes(csv, table.to_csv(index=False).encode())
        console.print(f"wrote {csv}", markup=False, highlight=False, soft_wrap=True)
