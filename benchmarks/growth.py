"""How the cost of training grows with width, classes, batch, images and workers, and the share of peak it reaches.

    python -m benchmarks.growth [--out benchmarks/results]

writes growth.csv, one row per measurement. Some rows are a probe on one worker that has the machine to itself: images
per second for a base network and for four frozen layers, and the share of the machine's arithmetic peak, which is that
of a large matrix product; multiplications by the zeros of margins count as done. The other rows are bases of photos
trained on one worker and on two.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch
from rich.console import Console

from data_prep import ensure
from transferkit.config import Recipe, Setting, get_preset
from transferkit.console import show_progress
from transferkit.disk import atomic
from transferkit.disk.prepared import find_work_folder
from transferkit.disk.store import Store
from transferkit.network import count_multiplications
from transferkit.specs import small_net
from transferkit.training.data import open_prepared
from transferkit.training.forecast import measure
from transferkit.training.machine import choose_precision
from transferkit.training.study import plan_study
from transferkit.training.sweep import sweep
from transferkit.training.workers import local_workers
from transferkit.treatments import plan

COLUMNS = ("varied", "value", "base_images_per_second", "frozen4_images_per_second", "share_of_peak")
QUICK = get_preset("quick")
Row = tuple[str, str, float, float, float]


def main() -> None:
    """Measure, and write the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    chosen = options.parse_args()
    torch.set_num_threads(1)
    rows = []
    for row in (*probed(), *trained()):
        rows.append(row)
        Console().print(*row, highlight=False)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    atomic.write_bytes(chosen.out / "growth.csv", table.to_csv(index=False).encode())


def probed() -> Iterator[Row]:
    """Vary one thing at a time, in the precision that the library takes on this machine."""
    precision = choose_precision("auto", "cpu")
    for name, other in (("precision", precision), ("precision", "float32")):
        yield _probe(name, other, replace(_setting(QUICK.recipe), precision=choose_precision(other, "cpu")))
    for width in (1, 2, 4):
        yield _probe("width", str(width), replace(_setting(QUICK.recipe), net=small_net(width), precision=precision))
    for n_classes in (10, 40, 160, 640):
        yield _probe("classes", str(n_classes), replace(_setting(QUICK.recipe), precision=precision), n_classes)
    for batch_size in (16, 64, 256):
        recipe = replace(QUICK.recipe, batch_size=batch_size)
        yield _probe("batch", str(batch_size), replace(_setting(recipe), precision=precision))


def trained() -> Iterator[Row]:
    """Train bases of photos: with more images per class on one worker, then four of them on one worker and on two."""
    prepared = open_prepared(ensure("photos", find_work_folder()))
    for images_per_class, labels, seeds, count in (
        (40, ["baseA"], [0], 1), (160, ["baseA"], [0], 1), (320, ["baseA"], [0], 1),
        (160, ["baseA", "baseB"], [0, 1], 1), (160, ["baseA", "baseB"], [0, 1], 2),
    ):  # fmt: skip
        recipe = replace(QUICK.recipe, images_per_class=images_per_class)
        with tempfile.TemporaryDirectory() as scratch:
            study = plan_study(prepared, replace(QUICK, recipe=recipe), "cpu", Store(Path(scratch)))
            runs = plan("random0", seeds, labels)
            began = time.perf_counter()
            progress = show_progress(sweep(study, runs, local_workers(count)), Console(quiet=True))
            rate = progress.images / (time.perf_counter() - began)
        what = f"{images_per_class} images per class, {len(runs)} networks, {count} workers"
        yield "end to end", what, rate, float("nan"), float("nan")


def _setting(recipe: Recipe) -> Setting:
    return Setting("random numbers", "", QUICK.net, recipe)


def _probe(varied: str, value: str, setting: Setting, n_classes: int = 40) -> Row:
    found = measure(setting, n_classes, time.monotonic())
    counts = count_multiplications(setting.net, n_classes)
    operations = 2 * (3 * sum(counts.values()) - counts["conv1"])  # the images need no gradient
    share = operations / found.trained[0] / _peak(setting.precision == "bfloat16")
    return varied, value, 1 / found.trained[0], 1 / found.trained[4], share


def _peak(bfloat16: bool) -> float:
    """Operations per second of a large matrix product on one thread, the best of several."""
    size = 2048
    left = torch.randn(size, size, dtype=torch.bfloat16 if bfloat16 else torch.float32)
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        left @ left
        taken.append(time.perf_counter() - began)
    return 2 * size**3 / min(taken)


if __name__ == "__main__":
    main()
