"""What each step from a plain loop to ours gains, in images per second on one device.

    python -m benchmarks.ladder [--device auto] [--preset quick] [--networks 4] [--epochs 1] [--repeats 3]

writes ladder.csv in --out, a row per measurement. A rung trains base networks, one per seed, on half A of random0 of
photos, in one process unless its name says otherwise. The rungs take turns. Before it is timed, each rung trains one
network per process, so that starting a process or a device does not count. On a GPU the preset is `class`, and steps
are replayed as graphs. The plain loop trains one network: as it is, on all cores, and once more with its images in
memory, on a single one.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pandas as pd
import torch
from rich.console import Console

from benchmarks.peers import Task, train_plainly, write_images
from benchmarks.summary import PLAIN
from data_prep import ensure
from transferkit.config import Device, Precision, get_preset
from transferkit.disk import atomic
from transferkit.disk.prepared import find_work_folder
from transferkit.disk.store import Store
from transferkit.errors import TrainingError
from transferkit.specs import NetSpec
from transferkit.training.data import open_prepared
from transferkit.training.experiment import perform_group
from transferkit.training.forecast import images_of
from transferkit.training.machine import choose_device, device_name, versions
from transferkit.training.study import USUAL, Execution, Study, plan_study
from transferkit.training.surgery import operate
from transferkit.training.workers import local_workers
from transferkit.treatments import Half, Run

SPLIT = "random0"
TARGET: Half = "A"
WARM_UP_SEED = 1000  # and above: networks trained before the clock starts
IN_MEMORY = f"{PLAIN}, images in memory, one thread"
COLUMNS = ("rung", "repeat", "networks", "images", "seconds", "device", "preset", "torch", "date")


@dataclass(frozen=True)
class Rung:
    """One way to train base networks: precision, execution, and the number of processes that share the device."""

    name: str
    precision: Precision
    execution: Execution = USUAL
    processes: int = 1


def rungs(device: Device, precision: Precision) -> tuple[Rung, ...]:
    """The rungs, from the bottom up; all but the first take `precision`, which the library takes on this machine.

    On a CPU where that is float32, the last rung shows what bfloat16 would have cost.
    """
    native = precision == "bfloat16"
    first = (Rung("ours, float32", "float32"), *((Rung("bfloat16", precision),) if native else ()))
    if device == "cpu":
        return (
            *first,
            Rung("2 processes", precision, processes=2),
            Rung("deterministic", precision, Execution(deterministic=True)),
            *(() if native else (Rung("bfloat16, emulated", "bfloat16"),)),
        )
    graphs = Execution(graphs=True)
    return (
        *first,
        Rung("graphs", precision, graphs),
        Rung("graphs, 4 processes", precision, graphs, processes=4),
        Rung("graphs, 4 processes, deterministic", precision, replace(graphs, deterministic=True), processes=4),
    )


def main() -> None:
    """Measure, and write the table after each row."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--device", default="auto")
    options.add_argument("--preset", help="default: quick, and class on a GPU")
    options.add_argument("--networks", type=int, help="base networks that a rung trains (default: 4, and 16 on a GPU)")
    options.add_argument("--epochs", type=int, default=1)
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    chosen = options.parse_args()
    device = choose_device(chosen.device)
    preset = get_preset(chosen.preset or ("quick" if device == "cpu" else "class"), chosen.epochs)
    prepared = open_prepared(ensure("photos", find_work_folder()))
    study = plan_study(prepared, preset, device, Store(find_work_folder()))
    about = (device_name(device), preset.name, versions()["torch"], f"{datetime.now(UTC):%Y-%m-%d}")
    console, rows = Console(), []
    networks = chosen.networks or (4 if device == "cpu" else 16)
    for row in measure(study, rungs(device, study.setting.precision), networks, chosen.repeats):
        rows.append((*row, *about))
        console.print(*row, highlight=False)
        table = pd.DataFrame(rows, columns=list(COLUMNS))
        atomic.write_bytes(chosen.out / "ladder.csv", table.to_csv(index=False).encode())


def measure(
    study: Study, ways: tuple[Rung, ...], networks: int, repeats: int
) -> Iterator[tuple[str, int, int, int, float]]:
    """Rung, repeat, networks, images in all and seconds of each measurement; each repeat begins with the plain loop."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for repeat in range(repeats):
            for name, images, seconds in plain_loops(study, folder / "images"):
                yield name, repeat, 1, images, seconds
            for place, rung in enumerate(ways):
                images, seconds = train_rung(study, rung, networks, folder / f"{repeat}-{place}")
                yield rung.name, repeat, networks, images, seconds


def plain_loops(study: Study, folder: Path) -> Iterator[tuple[str, int, float]]:
    """Name, images and seconds of the plain loop as it is and with its images in memory; `folder` keeps its files."""
    if not folder.exists():
        write_images(study.prepared, SPLIT, TARGET, folder, study.setting.recipe.images_per_class)
    task = _task(study, folder)
    for name, threads in ((PLAIN, None), (IN_MEMORY, 1)):
        with threads_limited(threads):
            outcome = train_plainly(replace(task, in_memory=name == IN_MEMORY))
        yield name, outcome.images, outcome.seconds


@contextmanager
def threads_limited(threads: int | None) -> Iterator[None]:
    """Let torch compute on this many threads inside; None leaves it as it is."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def train_rung(study: Study, rung: Rung, networks: int, work: Path) -> tuple[int, float]:
    """Images in all and seconds of training that many networks. Raises TrainingError when one of them fails."""
    setting = replace(study.setting, precision=rung.precision)
    fresh = replace(study, setting=setting, store=Store(work), execution=rung.execution)
    runs = [Run(SPLIT, seed, TARGET) for seed in range(networks)]
    warm_up = [Run(SPLIT, WARM_UP_SEED + number, TARGET) for number in range(rung.processes)]
    images = networks * images_of(study, runs[0], "train") * setting.recipe.epochs
    with local_workers(rung.processes) if rung.processes > 1 else nullcontext() as pool:
        perform_all = partial(_perform_all, fresh, pool)
        perform_all(warm_up)
        began = time.perf_counter()
        perform_all(runs)
        return images, time.perf_counter() - began


def _perform_all(study: Study, pool: Executor | None, runs: Sequence[Run]) -> None:
    groups = [(run,) for run in runs]
    if pool is None:
        done = [perform_group(study, group) for group in groups]
    else:
        done = [future.result() for future in [pool.submit(perform_group, study, group) for group in groups]]
    if failures := [failure for group in done for failure in group]:
        raise TrainingError(f"a rung cannot be measured: {failures[0].reason}")


def _task(study: Study, images: Path) -> Task:
    n_classes = len(study.prepared.split(SPLIT).classes(TARGET))
    network = operate(study.setting.net, n_classes, Run(SPLIT, 0, TARGET)).network
    weights = {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()}
    assert isinstance(study.setting.net, NetSpec)  # the only kind that the plain loop can build
    return Task("baseA", study.setting.net, study.setting.recipe, weights, 0, images)


if __name__ == "__main__":
    main()
