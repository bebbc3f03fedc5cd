"""How long until the whole quick grid of photos has learned: ours beside the plain PyTorch loop and Lightning.

    python -m benchmarks.speed [--repeats 1] [--grids 2] [--out benchmarks/results]

writes speed.csv, a row per measurement in the order of time. The contenders take turns, so that a machine that grows
slower does so for all. Our grid is the sweep itself, from the start of the workers to the last receipt. The peers would
train a grid one network after the other. They train the networks of KINDS, on half B of random0, and `summary` works
out from these the sum over all 72.

A peer trains a network until it is as good as ours: until the end of the first epoch whose top-1 is at most MARGIN
below that of our receipt. It may take as many epochs as we take. It begins with the recipe that a user would take, Adam
(`peers` says why). If it has not got there by then, it starts again with our recipe, and so does the peer after it: to
go on would take longer than our recipe takes. This favours the peers three times. They stop at their luckiest epoch,
while we train to the end. A failed try does not count. And they need not search for the recipe.
"""

import argparse
import math
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from rich.console import Console

from benchmarks.peers import Outcome, Task, Way, train_plainly, train_with_lightning, write_images
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
from transferkit.treatments import Run, grid, parse_run, plan

SPLIT, SEED = "random0", 0
KINDS = ("baseB", "A4B", "A7B", "B4B", "R4B", "A4B+", "B4B+")  # each treatment at n = 4, and a late chop
ALONE = ("baseB", "A4B")  # of which ours is also trained alone
MARGIN = 0.005  # half a point of top-1
Peer = Callable[[Task], Outcome]
PEERS: dict[str, Peer] = {"Lightning": train_with_lightning, "plain loop": train_plainly}


@dataclass(frozen=True)
class Row:
    """One measurement: seconds and best top-1 (0..1), for a peer with the top-1 at which it stops."""

    work: str
    contender: str
    repeat: int
    networks: int
    images: int
    seconds: float
    top1: float
    way: Way = "our recipe"
    goal: float = math.nan


def main() -> None:
    """Measure, and write the table after each row."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--repeats", type=int, default=1, help="of the peers' networks (default: 1)")
    options.add_argument("--grids", type=int, default=2, help="whole grids of ours (default: 2)")
    options.add_argument("--preset", default="quick")
    options.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    chosen = options.parse_args()
    console, rows = Console(), []
    write_machine(chosen.out)
    for row in measure(chosen.preset, chosen.repeats, chosen.grids, console):
        rows.append(row)
        console.print(f"{datetime.now(UTC):%H:%M:%S}", *vars(row).values(), highlight=False)
        atomic.write_bytes(chosen.out / "speed.csv", pd.DataFrame(rows).to_csv(index=False).encode())


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


def measure(preset: str, repeats: int, grids: int, console: Console) -> Iterator[Row]:
    """The rows; the contenders take turns."""
    prepared = open_prepared(ensure("photos", find_work_folder()))
    study = plan_study(prepared, get_preset(preset), "cpu", Store(find_work_folder()))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_images(prepared, SPLIT, "B", folder / "images", study.setting.recipe.images_per_class)
        yield from _our_grid(study, folder / "grid0", 0, console)
        trained = replace(study, store=Store(folder / "grid0"))
        tasks = {label: _task(trained, label, folder / "images") for label in KINDS}
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            pool.submit(len, ()).result()  # so that torch is imported before any clock starts

            def train(peer: Peer, task: Task) -> Outcome:
                return pool.submit(peer, task).result()

            for repeat in range(max(repeats, grids)):
                if 0 < repeat < grids:
                    yield from _our_grid(study, folder / f"grid{repeat}", repeat, console)
                for label in KINDS if repeat < repeats else ():
                    yield from peers_rows(tasks[label], repeat, train)
                    if label in ALONE:
                        yield _our_network(trained, label, folder / f"{label}{repeat}", repeat)


def peers_rows(task: Task, repeat: int, train: Callable[[Peer, Task], Outcome]) -> Iterator[Row]:
    """A row for each try of each peer at one network; a peer's last try counts."""
    for name, peer in PEERS.items():
        outcome = train(peer, task)
        yield _peers_row(task, name, repeat, outcome)
        if task.way == "Adam" and outcome.top1 < task.goal:
            task = replace(task, way="our recipe")
            yield _peers_row(task, name, repeat, train(peer, task))


def peer_version() -> str:
    """The version of Lightning."""
    import lightning

    return str(lightning.__version__)


def _peers_row(task: Task, name: str, repeat: int, outcome: Outcome) -> Row:
    return Row(task.label, name, repeat, 1, outcome.images, outcome.seconds, outcome.top1, way=task.way, goal=task.goal)


def _task(study: Study, label: str, images: Path) -> Task:
    run = parse_run(label, SPLIT, SEED)
    source = study.store.weights(run.source_base, study.setting) if run.source_base else None
    n_classes = len(study.prepared.split(SPLIT).classes(run.target))
    network = operate(study.setting.net, n_classes, run, source).network
    weights = {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}
    assert isinstance(study.setting.net, NetSpec)  # the only kind that the peers can build
    goal = round(_row(study, run, 0).top1 - MARGIN, 9)  # a share of the images, which a peer may meet exactly
    frozen = 0 if run.finetune else run.n
    return Task(label, study.setting.net, study.setting.recipe, weights, frozen, images, "Adam", goal)


def _our_grid(study: Study, work: Path, repeat: int, console: Console) -> Iterator[Row]:
    fresh = replace(study, store=Store(work))
    runs = grid(SPLIT, SEED)
    started = time.perf_counter()
    progress = show_progress(sweep(fresh, runs, local_workers(default_workers("cpu"))), console)
    seconds = time.perf_counter() - started
    rows = {run.label: _row(fresh, run, repeat) for run in runs}
    top1 = sum(row.top1 for row in rows.values()) / len(runs)
    yield Row("grid", "transferkit", repeat, len(runs), progress.images, seconds, top1)
    for label in KINDS:
        yield rows[label]


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
    return Row(work + run.label, "transferkit", repeat, 1, images, receipt.times.seconds, receipt.final.top1)


if __name__ == "__main__":
    main()
