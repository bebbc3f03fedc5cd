"""The steps, each a process of its own: python -m benchmarks.on_a_gpu.steps NAME --device cuda --out DIR."""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pandas as pd
import torch
from rich.console import Console

from benchmarks import ladder, paper_rate
from benchmarks.on_a_gpu.correctness import check_all
from benchmarks.on_a_gpu.driver import BUDGETS
from benchmarks.on_a_gpu.rows import Place, Rows
from course.book.cost import operations_by_frozen
from data_prep.catalogue import prepare
from data_prep.rendering import Arguments
from transferkit.config import Precision, get_preset
from transferkit.disk import atomic
from transferkit.disk.prepared import MANIFEST, find_work_folder
from transferkit.disk.store import Store
from transferkit.errors import DataError
from transferkit.training.data import open_prepared
from transferkit.training.machine import choose_device, choose_precision, device_name, versions
from transferkit.training.study import USUAL, Execution, Study, plan_study
from transferkit.training.sweep import sweep
from transferkit.training.workers import local_workers
from transferkit.treatments import LAYERS, Run, grid, plan

REPEATS = 3
WORKERS = 4  # that share the GPU
ENOUGH = 0.4  # of the grid's budget: while less is spent, the grid is trained once more
PAPER_WORK = 256, 20  # images per step, and steps
DEPTHS = {"paper": (0, 4, 7, 1, 2, 3, 5, 6, 0, 4, 7, 0, 4, 7), "paper-fast": (0, 4, 7) * REPEATS}  # frozen, in turns
PEAKS = {
    "bfloat16": (torch.bfloat16, "highest"), "TF32": (torch.float32, "high"), "float32": (torch.float32, "highest"),
}  # fmt: skip
PEAK_OF: dict[Precision, str] = {"bfloat16": "bfloat16", "float32": "TF32"}  # PyTorch's convolutions take TF32


def draw_data(place: Place, rows: Rows) -> None:
    """Photos, or shapeworld where the photographs are not installed; nothing if the data were given."""
    arguments = Arguments(train=16, valid=4) if place.dry_run else Arguments()
    began, own = time.perf_counter(), place.work / "data"
    if place.data.parent == own:
        try:
            prepare("photos", own / "photos", arguments)
        except (DataError, ImportError) as problem:
            Console().print(f"{problem} So shapeworld is drawn instead.", highlight=False)
            prepare("shapeworld", own / "shapeworld", arguments)
    rows.add("the data set is there", {"s": time.perf_counter() - began})


def climb_ladder(place: Place, rows: Rows) -> None:
    """Images per second of a plain loop, ours, graphs, several processes, and deterministic algorithms."""
    preset, networks, repeats = ("smoke", 1, 1) if place.dry_run else ("class", 16, REPEATS)
    study, kept = _study(place, preset, epochs=1), list[tuple[object, ...]]()
    about = (device_name(place.device), preset, versions()["torch"], f"{datetime.now(UTC):%Y-%m-%d}")

    def keep(name: str, repeat: int, networks: int, images: int, seconds: float) -> None:
        rows.add(name, {"images/s": images / seconds})
        kept.append((name, repeat, networks, images, seconds, *about))
        table = pd.DataFrame(kept, columns=list(ladder.COLUMNS))
        atomic.write_bytes(place.out / "ladder.csv", table.to_csv(index=False).encode())

    for repeat in range(repeats):
        for rung in ladder.rungs(place.device, study.setting.precision):
            with rows.check(f"this rung runs: {rung.name}"):
                work = place.work / "ladder" / f"{repeat} {rung.name}"
                keep(rung.name, repeat, networks, *ladder.train_rung(study, rung, networks, work))
        with rows.check("the plain loop runs"):
            for name, images, seconds in ladder.plain_loops(study, place.work / "ladder" / "images"):
                keep(name, repeat, 1, images, seconds)


def train_grid(place: Place, rows: Rows) -> None:
    """The grid of `quick` from the start of the workers to the last receipt; with graphs where they can be used."""
    study = _study(place, "smoke" if place.dry_run else "quick")
    runs = plan("random0", [0], ["A4B"]) if place.dry_run else grid("random0", 0)
    began, ways = time.perf_counter(), [USUAL] if place.device == "cpu" else [Execution(graphs=True), USUAL]
    for repeat in range(REPEATS):
        for way in ways:
            store = Store(place.work / f"grid {repeat}{' graphs' if way.graphs else ''}")
            with rows.check(f"the grid is trained {'with' if way.graphs else 'without'} graphs"):
                _train_once(replace(study, store=store, execution=way), runs, rows)
                ways = [way]
                break
        if place.dry_run or time.perf_counter() - began > ENOUGH * BUDGETS["grid"]:
            return


def _train_once(study: Study, runs: tuple[Run, ...], rows: Rows) -> None:
    began, top1 = time.perf_counter(), []
    workers = 1 if study.setting.device == "cpu" else WORKERS
    how = f"{len(runs)} networks, {workers} workers{', graphs' if study.execution.graphs else ''}"
    for progress in sweep(study, runs, local_workers(workers)):
        if progress.newest is not None:  # whatever is cut off, this says how far and how fast it came
            top1.append(progress.newest.final.top1)
            rows.add(f"when each network is done: {how}", {"images/s": progress.images_per_second})
    seconds = time.perf_counter() - began
    found = {"s": seconds, "images/s": progress.images / seconds, "mean top-1": statistics.mean(top1)}
    rows.add(f"the whole grid: {how}", found)


def time_paper(place: Place, rows: Rows, name: str = "paper") -> None:
    """Images per second of the paper's network by frozen layers, and their share of the fastest matrix products."""
    peaks, preset, native = measure_peaks(place, rows), get_preset(name), choose_precision("auto", place.device)
    work, depths = ((2, 1), (7,)) if place.dry_run else (PAPER_WORK, DEPTHS[name])
    turns: list[tuple[Precision, tuple[int, ...]]] = [(native, depths), ("float32", (0,) * REPEATS)]
    operations, kept = operations_by_frozen(preset.net), []
    for precision, chosen in turns[:1] if place.dry_run else turns:
        for depth, rate in paper_rate.measure(preset, place.device, precision, work, list(chosen)):
            share = rate * operations[depth] / peaks[PEAK_OF[precision]]
            found = {"images/s": rate, f"of the {PEAK_OF[precision]} peak": share}
            rows.add(f"{preset.net.name}, {depth} frozen layers", found, precision)
            kept.append({**paper_rate.about(place.device, precision, *work), "frozen": depth, "rate": rate})
        if name == "paper" and len({row["frozen"] for row in kept}) == len(LAYERS):  # cost.md needs all
            own = pd.DataFrame(kept).query("precision == @native")
            medians = own.groupby([key for key in own if key != "rate"])["rate"].median().reset_index()
            atomic.write_bytes(place.out / "paper-rate.csv", medians.to_csv(index=False).encode())


def measure_peaks(place: Place, rows: Rows) -> dict[str, float]:
    """Operations per second of a large square matrix product in each precision, the fastest of ten."""
    size, best = 8192 if place.device == "cuda" else 256, {}
    for name, (dtype, allowed) in PEAKS.items():
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision(allowed)
        left = torch.randn(size, size, device=place.device, dtype=dtype)
        rates = [2 * size**3 / _product_seconds(left) for _ in range(13)][3:]
        torch.set_float32_matmul_precision(before)
        best[name] = max(rates)
        for rate in rates:
            rows.add(f"matrix product of {size} x {size}, {name}", {"TFLOP/s": rate / 1e12})
    return best


def _product_seconds(left: torch.Tensor) -> float:
    began = time.perf_counter()
    (left @ left)[0, 0].item()  # waits for a GPU
    return time.perf_counter() - began


def _study(place: Place, preset: str, epochs: int | None = None) -> Study:
    store = Store(place.work / "store")
    return plan_study(open_prepared(place.data), get_preset(preset, epochs), place.device, store)


STEPS: dict[str, Callable[[Place, Rows], None]] = {
    "data": draw_data, "correctness": check_all, "ladder": climb_ladder, "grid": train_grid,
    "paper": time_paper, "paper-fast": partial(time_paper, name="paper-fast"),
}  # fmt: skip


def main() -> int:
    """Take one step; 1 when one of its checks failed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("step", choices=tuple(STEPS))
    options.add_argument("--device", choices=("cuda", "cpu"), required=True)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--data", type=Path)
    options.add_argument("--dry-run", action="store_true")
    chosen = options.parse_args()
    work = find_work_folder()
    drawn = next((path.parent for path in (work / "data").glob(f"*/{MANIFEST}")), work / "data" / "photos")
    place = Place(choose_device(chosen.device), chosen.data or drawn, work, chosen.out, chosen.dry_run)
    rows = Rows(chosen.step, place)
    STEPS[chosen.step](place, rows)
    if rows.failed:
        sys.stdout.write(f"{len(rows.failed)} checks failed: {'; '.join(rows.failed)}\n")
    return int(bool(rows.failed))


if __name__ == "__main__":
    sys.exit(main())
