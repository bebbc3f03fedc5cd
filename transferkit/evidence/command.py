"""The commands `evidence` and `claims`."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
from rich.console import Console

from transferkit import atomic
from transferkit.claims import Evidence, authors_evidence, ledger, read_evidence
from transferkit.config import get_preset
from transferkit.console import show_progress
from transferkit.evidence.bench import Bench, predict_cost, run_study, steps_of
from transferkit.evidence.collect import write_conv1, write_study
from transferkit.evidence.plan import StudyPlan, choose_studies, smoke_studies, studies
from transferkit.evidence.show import beside, claims_table, cost_table
from transferkit.experiment import choose_device
from transferkit.store import Store
from transferkit.work import find_work_folder
from transferkit.workers import default_workers, local_workers

Action = Callable[[argparse.Namespace], None]


def run_evidence(options: argparse.Namespace) -> None:
    """Carry out the studies, write their tables and the ledger, and show it."""
    store, console = Store(options.work or find_work_folder()), Console()
    preset = get_preset("smoke" if options.smoke else options.preset)
    bench = Bench(preset, options.device, store)
    known = smoke_studies(options.data) if options.smoke else _on_data(options.data)
    steps = {plan.name: steps_of(plan, bench) for plan in choose_studies(known, options.only)}
    usual_workers = default_workers(choose_device(options.device))
    workers = usual_workers if options.workers is None else options.workers
    costs = {name: predict_cost(chosen, preset) for name, chosen in steps.items()}
    everything = [step for chosen in steps.values() for step in chosen]
    costs["all together"] = predict_cost(everything, preset)
    console.print(cost_table(costs, workers))
    if options.predict:
        return
    folder = options.out or store.work / ("evidence-smoke" if options.smoke else "evidence")
    with local_workers(workers) as executor:
        for name, chosen in steps.items():
            console.print(f"{name}", style="bold")
            show_progress(run_study(chosen, executor), console)
            write_study(name, chosen, folder)
    write_conv1(everything, preset.recipe, folder)
    _show(read_evidence(folder), None, folder / "claims.csv", console)


def run_claims(options: argparse.Namespace) -> None:
    """Show the ledger of the tables that the studies left, with the authors' beside it if asked for."""
    folder = options.evidence or (options.work or find_work_folder()) / "evidence"
    authors = ledger(authors_evidence(), published=True) if options.authors else None
    _show(read_evidence(folder), authors, options.csv, Console())


def add_commands(add: Callable[[str, Action, str], argparse.ArgumentParser]) -> None:
    """Register both commands; `add` makes the parser of one from its name, action and purpose."""
    command = add(
        "evidence", run_evidence, "train the networks that the claims need, write their tables and the ledger"
    )
    command.add_argument("--only", nargs="+", default=[], metavar="STUDY", help="only these studies")
    command.add_argument("--smoke", action="store_true", help="a handful of tiny networks: the whole path, no science")
    command.add_argument("--predict", action="store_true", help="only print what is left to train")
    command.add_argument("--data", default="photos", help="of all studies but the dial (default: photos)")
    command.add_argument("--preset", default="quick", help="quick, class or another (default: quick)")
    command.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    command.add_argument("--workers", type=int, help="processes (default: one per CPU core, or one for a GPU)")
    command.add_argument("--out", type=Path, help="folder of the tables (default: evidence in the work folder)")
    _add_usual(command)
    command = add(
        "claims", run_claims, "print which claims of the paper hold, fail or are undecided, and on what evidence"
    )
    command.add_argument("--authors", action="store_true", help="the authors' own networks beside ours")
    command.add_argument("--csv", type=Path, metavar="FILE", help="write one row per claim")
    command.add_argument("--evidence", type=Path, help="folder of the tables (default: evidence in the work folder)")
    _add_usual(command)


def _add_usual(command: argparse.ArgumentParser) -> None:
    command.add_argument("--work", type=Path, help="the work folder (default: TRANSFERKIT_WORK, else ./work)")
    command.add_argument("--debug", action="store_true", help="show the traceback of an error")


def _on_data(data: str) -> tuple[StudyPlan, ...]:
    """The studies on another data set than photos; the dial stays where the parts of classes are known."""
    return tuple(replace(plan, data=data) if plan.name != "dial" else plan for plan in studies())


def _show(evidence: Evidence, authors: pd.DataFrame | None, csv: Path | None, console: Console) -> None:
    ours = ledger(evidence)
    console.print(claims_table(ours, authors))
    if csv is not None:
        table = ours if authors is None else beside(ours, authors)
        atomic.write_bytes(csv, table.to_csv(index=False).encode())
        console.print(f"wrote {csv}", markup=False, highlight=False, soft_wrap=True)
