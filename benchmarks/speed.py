"""Ours beside the plain PyTorch loop and Lightning: one base, one frozen network, and the whole quick grid of photos.

    python -m benchmarks.speed [--repeats 3] [--grids 2] [--out benchmarks/results]

writes speed.csv, a row per measurement in the order of time. The contenders take turns, so that a machine that grows
slower does so for all. The peers train one network of each kind, on half B of random0. They would train a grid one
network after the other, so a peer's grid is the sum over its 72 networks of the mean seconds of each kind. Our grid is
the sweep itself, from the start of the workers to the last receipt. Everything is trained to the end, and top-1 is
kept, since speed must not cost accuracy.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from rich.console import Console

from benchmarks.peers import Outcome, Task, train_plainly, train_with_lightning, write_images
from data_prep import ensure
from transferkit.config import get_preset
from transferkit.console import show_progress
from transferkit.disk import atomic
from transferkit.disk.prepared import find_work_folder
from transferkit.disk.store import Store
from transferkit.specs import NetSpec
from transferkit.training.data import open_prepared
from transferkit.training.machine import choose_precision, device_name, versions
from transferkit.training.study import Study, plan_study
from transferkit.training.surgery import operate
from transferkit.training.sweep import sweep
from transferkit.training.workers import default_workers, local_workers
from transferkit.treatments import CHOP_POINTS, Run, grid, parse_run, plan

SPLIT, SEED = "random0", 0
KINDS = ("baseB", *(f"A{n}B" for n in CHOP_POINTS), "A1B+", "A4B+", "A7B+")  # all fine-tuned ones cost the same
REPEATED = ("baseB", "A4B")
PEERS: dict[str, Callable[[Task], Outcome]] = {"plain loop": train_plainly, "Lightning": train_with_lightning}
COLUMNS = ("work", "contender", "repeat", "networks", "images", "seconds", "top1")
Row = tuple[str, str, int, int, int, float, float]


def main() -> None:
    """Measure, and write the table after each row."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--repeats", type=int, default=3, help="of the base and the frozen network (default: 3)")
    options.add_argument("--grids", type=int, default=2, help="whole grids of ours (default: 2)")
    options.add_argument("--preset", default="quick")
    options.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    chosen = options.parse_args()
    console, rows = Console(), []
    write_machine(chosen.out)
    for row in measure(chosen.preset, chosen.repeats, chosen.grids):
        rows.append(row)
        console.print(*row, highlight=False)
        table = pd.DataFrame(rows, columns=list(COLUMNS))
        atomic.write_bytes(chosen.out / "speed.csv", table.to_csv(index=False).encode())


def write_machine(folder: Path) -> None:
    """Write the machine to machine.csv; this comes first, so that a run that is stopped has it beside its rows."""
    about = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "device": device_name("cpu"),
        "precision": choose_precision("auto", "cpu"),
        "cores": str(default_workers("cpu")),
    }
    about |= versions() | {"lightning": peer_version()}
    lines = "".join(f"{key},{value}\n" for key, value in about.items())
    atomic.write_bytes(folder / "machine.csv", f"key,value\n{lines}".encode())


def measure(preset: str, repeats: int, grids: int) -> Iterator[Row]:
    """The rows; the contenders take turns."""
    prepared = open_prepared(ensure("photos", find_work_folder()))
    study = plan_study(prepared, get_preset(preset), "cpu", Store(find_work_folder()))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_images(prepared, SPLIT, "B", folder / "images", study.setting.recipe.images_per_class)
        yield from _our_grid(study, folder / "grid0", 0)
        trained = replace(study, store=Store(folder / "grid0"))
        tasks = {label: _task(trained, label, folder / "images") for label in KINDS}
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            pool.submit(len, ()).result()  # so that torch is imported before any clock starts
            for repeat in range(repeats):
                for label in KINDS if repeat == 0 else REPEATED:
                    for name, peer in PEERS.items():
                        outcome = pool.submit(peer, tasks[label]).result()
                        yield label, name, repeat, 1, outcome.images, outcome.seconds, outcome.top1
                    if label in REPEATED:
                        yield _our_network(trained, label, folder / f"{label}{repeat}", repeat)
                if repeat + 1 < grids:
                    yield from _our_grid(study, folder / f"grid{repeat + 1}", repeat + 1)


def peer_version() -> str:
    """The version of Lightning."""
    import lightning

    return str(lightning.__version__)


def _task(study: Study, label: str, images: Path) -> Task:
    run = parse_run(label, SPLIT, SEED)
    source = study.store.weights(run.source_base, study.setting) if run.source_base else None
    n_classes = len(study.prepared.split(SPLIT).classes(run.target))
    network = operate(study.setting.net, n_classes, run, source).network
    weights = {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}
    assert isinstance(study.setting.net, NetSpec)  # the only kind that the peers can build
    return Task(label, study.setting.net, study.setting.recipe, weights, 0 if run.finetune else run.n, images)


def _our_grid(study: Study, work: Path, repeat: int) -> Iterator[Row]:
    fresh = replace(study, store=Store(work))
    runs = grid(SPLIT, SEED)
    started = time.perf_counter()
    progress = show_progress(sweep(fresh, runs, local_workers(default_workers("cpu"))), Console(quiet=True))
    seconds = time.perf_counter() - started
    tops = {run.label: _row(fresh, run, repeat) for run in runs}
    yield "grid", "transferkit", repeat, len(runs), progress.images, seconds, sum(r[-1] for r in tops.values()) / 72
    for label in KINDS:
        yield tops[label]


def _our_network(trained: Study, label: str, work: Path, repeat: int) -> Row:
    """Alone on the machine, on one core, as a sweep trains it."""
    fresh = replace(trained, store=Store(work))
    run = parse_run(label, SPLIT, SEED)
    for base in plan(SPLIT, [SEED], [label]):
        if base != run:
            source = trained.store.run_folder(base, trained.setting)
            target = fresh.store.run_folder(base, trained.setting)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source)
    show_progress(sweep(fresh, [run], local_workers(1)), Console(quiet=True))
    return _row(fresh, run, repeat, work="alone: ")


def _row(study: Study, run: Run, repeat: int, work: str = "in the grid: ") -> Row:
    receipt = study.store.find(run, study.setting)
    assert receipt is not None
    images = round(receipt.times.images_per_second * receipt.times.seconds)
    return work + run.label, "transferkit", repeat, 1, images, receipt.times.seconds, receipt.final.top1


if __name__ == "__main__":
    main()
