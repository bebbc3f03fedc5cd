"""The commands about claims: train what they need, and say which of them hold."""

import argparse
from dataclasses import replace
from pathlib import Path

import pandas as pd
from rich.console import Console

from course.evidence import (
    Bench,
    Step,
    beside,
    choose_studies,
    claims_table,
    cost_table,
    kept_evidence,
    of_layers,
    predict_cost,
    run_study,
    smoke_studies,
    steps_of,
    studies,
    write_conv1,
    write_pictures,
    write_provenance,
    write_study,
)
from course.evidence.claims import Evidence, authors_evidence, ledger, read_evidence
from course.evidence.collect import refuse_mixing
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
from transferkit.training.workers import default_workers, local_workers


def evidence(options: argparse.Namespace) -> None:
    """Carry out the studies, write their tables, the ledger and all figures, and show the ledger."""
    store, console = Store(options.work or find_work_folder()), Console()
    preset = get_preset("smoke" if options.smoke else options.preset)
    prepared = open_prepared(prepared_folder(store.work, options.data), verify=False)
    preset = replace(preset, net=named_net(options.net, preset, prepared.manifest)) if options.net else preset
    bench = Bench(preset, options.device, store)
    grouped = prepared.can_split("apart0")
    known = smoke_studies(options.data) if options.smoke else studies(options.data, options.splits, grouped=grouped)
    known = of_layers(known, preset.net.layers)
    steps = {plan.name: steps_of(plan, bench) for plan in choose_studies(known, options.only)}
    workers = default_workers(choose_device(options.device)) if options.workers is None else options.workers
    _show_costs(steps, workers, console, probed=not options.smoke)
    if options.predict:
        return
    folder = options.out or store.work / ("evidence-smoke" if options.smoke else "evidence")
    refuse_mixing(steps, folder)
    with local_workers(workers) as executor:
        for name, chosen in steps.items():
            console.print(name, style="bold")
            show_progress(run_study(chosen, executor), console)
            write_study(name, chosen, folder)
    every = [step for chosen in steps.values() for step in chosen]
    write_conv1(every, preset.recipe, folder)
    write_provenance(steps, folder)
    found = read_evidence(folder)
    _show(found, None, folder / "claims.csv", console)
    for path in write_pictures(found, folder):
        console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)


def claims(options: argparse.Namespace) -> None:
    """Show the ledger of the tables that the studies left, with the authors' beside it if asked for.

    Before anything is trained, of those that the checkout keeps. Raises UsageError for --evidence that is no folder.
    """
    if options.evidence and not options.evidence.is_dir():
        raise UsageError(
            f"there is no folder {options.evidence}: give with --evidence the one in which 'python -m transferkit "
            "evidence' left its tables."
        )
    folder = options.evidence or (options.work or find_work_folder()) / "evidence"
    if not folder.exists() and not options.evidence and (kept := kept_evidence()):
        Console().print("Nothing is trained here yet: these networks come with the repository.")
        folder = kept
    authors = ledger(authors_evidence(), published=True) if options.authors else None
    _show(read_evidence(folder), authors, options.csv, Console())


def _show_costs(steps: dict[str, tuple[Step, ...]], workers: int, console: Console, *, probed: bool) -> None:
    study = next(iter(steps.values()))[0].study
    found = probe(study, workers, local_workers(workers)) if probed else None
    costs = {name: predict_cost(chosen, found) for name, chosen in steps.items()}
    costs["all together"] = predict_cost([step for chosen in steps.values() for step in chosen], found)
    console.print(cost_table(costs, workers))


def _show(found: Evidence, authors: pd.DataFrame | None, csv: Path | None, console: Console) -> None:
    ours = ledger(found)
    console.print(claims_table(ours, authors))
    if csv is not None:
        table = ours if authors is None else beside(ours, authors)
        atomic.write_bytes(csv, table.to_csv(index=False).encode())
        console.print(f"wrote {csv}", markup=False, highlight=False, soft_wrap=True)
