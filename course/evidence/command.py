"""The commands about claims: train what they need, and say which of them hold."""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
from rich.console import Console

from course.evidence.claims import Evidence, authors_evidence, ledger, read_evidence
from course.evidence.collect import kept_evidence, train_and_collect
from course.evidence.pictures import write_pictures
from course.evidence.plan import all_series, choose_series, of_layers, smoke_series
from course.evidence.show import beside, claims_table, series_table
from course.evidence.sweeps import SeriesStep, Site, predict_cost, steps_of
from transferkit.commands import named_net
from transferkit.config import get_preset
from transferkit.console import show_progress
from transferkit.disk import atomic
from transferkit.disk.prepared import find_work_folder, prepared_folder
from transferkit.disk.store import Store
from transferkit.errors import UsageError
from transferkit.training.data import open_prepared
from transferkit.training.forecast import probe
from transferkit.training.machine import choose_device
from transferkit.training.sweep import Progress
from transferkit.training.workers import default_workers, local_workers


def evidence(options: argparse.Namespace) -> None:
    """Train the series, write their tables, the ledger and all figures, and show the ledger."""
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

    found = train_and_collect(steps, preset.recipe, folder, workers, watch)
    _show(found, None, folder / "claims.csv", console)
    for path in write_pictures(found, folder):
        console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)


def claims(options: argparse.Namespace) -> None:
    """Show the ledger of the tables in the work folder, and beside it the authors' own if asked for.

    While there are none, show that of the tables in the repository. Raises UsageError for a missing --evidence folder.
    """
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
    study = next(iter(steps.values()))[0].study
    found = probe(study, workers, local_workers(workers)) if probed else None
    costs = {name: predict_cost(chosen, found) for name, chosen in steps.items()}
    costs["all together"] = predict_cost([step for chosen in steps.values() for step in chosen], found)
    console.print(series_table(costs, workers))


def _show(found: Evidence, authors: pd.DataFrame | None, csv: Path | None, console: Console) -> None:
    ours = ledger(found)
    console.print(claims_table(ours, authors))
    if csv is not None:
        table = ours if authors is None else beside(ours, authors)
        atomic.write_bytes(csv, table.to_csv(index=False).encode())
        console.print(f"wrote {csv}", markup=False, highlight=False, soft_wrap=True)
