"""The sixty lines of lesson 04 beside the library: base A, base B and A4B on photos at the preset quick.

    python -m benchmarks.by_hand [--seeds 0 1 2] [--preset quick] [--data photos] [--out DIR]

executes the cells of the lesson that are tagged "by-hand", once for each seed, and writes a row per network to
by-hand.csv: its top-1, that of the library's network of the same split, and the seconds. The library's networks are
trained first, unless they are in the work folder. Both differ in their random weights and in the order of the images,
so that they can only agree up to what another seed changes; `tests/test_by_hand.py` gives both the same and compares
weights.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from rich.console import Console

import transferkit as tk
from data_prep import ensure
from transferkit.disk import atomic
from transferkit.training.study import Study

LESSON = Path(__file__).parents[1] / "notebooks" / "04_chop_and_transfer.ipynb"
FILE = Path(__file__).parent / "results" / "by-hand.csv"
TAG = "by-hand"
SPLIT, CHOP_POINT = "random0", 4


def cells(lesson: Path = LESSON) -> list[str]:
    """The sources of the cells that a learner reads as the experiment, in order."""
    found = json.loads(lesson.read_text())["cells"]
    return ["".join(cell["source"]) for cell in found if TAG in cell["metadata"].get("tags", [])]


class _Given:
    """What the lesson's first cells bring along, for a study that is already open."""

    def __init__(self, study: Study) -> None:
        self._study = study

    def open_study(self, *_: object) -> Study:
        return self._study


def write_experiment(study: Study, seed: int, *, train: bool = True) -> dict[str, Any]:
    """All names that the cells define; without `train`, only those of the cells before the first training."""
    names: dict[str, Any] = {
        "torch": torch, "tk": _Given(study), "ensure": str, "data": "", "preset": "", "device": "",
        "split": SPLIT, "seed": seed, "n": CHOP_POINT,
    }  # fmt: skip
    for source in cells():
        if not train and "by_hand" in source:
            break
        exec(compile(source, "the sixty lines", "exec"), names)
    return names


def measure(study: Study, seed: int) -> Iterator[dict[str, object]]:
    """A row per network of a seed; what is printed on the way is the learner's progress."""
    began = time.monotonic()
    by_hand = write_experiment(study, seed)["by_hand"]
    seconds = time.monotonic() - began
    runs = [tk.parse_run(label, SPLIT, 0) for label in by_hand]
    receipts = {receipt.run.label: receipt.final.top1 for receipt in tk.train(study, runs)}
    for label, top1 in by_hand.items():
        yield {
            "run": label, "seed": seed, "by_hand": top1, "library": receipts[label], "threads": torch.get_num_threads(),
            "seconds_of_all": round(seconds),
        }  # fmt: skip


def main() -> None:
    """Measure, and write the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--preset", default="quick")
    options.add_argument("--data", default="photos")
    options.add_argument("--out", type=Path, default=FILE.parent)
    chosen = options.parse_args()
    study = tk.open_study(ensure(chosen.data), chosen.preset, "cpu")
    rows = pd.DataFrame([row for seed in chosen.seeds for row in measure(study, seed)])
    atomic.write_bytes(chosen.out / FILE.name, rows.to_csv(index=False).encode())
    Console().print(rows.round(4).to_string(index=False), highlight=False)


if __name__ == "__main__":
    main()
