"""Search for a recipe whose bases have learned, on bases alone: `python -m benchmarks.recipe_search TABLE.csv`.

A base has learned when training for twice as long gains less than a point. Each candidate is a set of views of the
photographs, a number of images per class and a number of epochs; all else is that of a preset. Of each, both bases of
`random0` and `random1` (seed 0) are trained, and once more for twice the epochs. A row per candidate: what a network
costs in images, mean top-1 of the bases, the mean gain of training twice as long with its 95 % interval (Student's t
over the bases, points), the mean training loss, and how clean conv1 is: the mean R2 of the fits. What is trained is
kept in the work folder, so that a search that was stopped goes on.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from scipy.special import stdtrit

from course.looking.kinds import fit_table
from data_prep import photos, shapeworld
from data_prep.rendering import Arguments, write
from transferkit.config import Preset, get_preset
from transferkit.console import show_progress
from transferkit.disk import atomic
from transferkit.disk.prepared import MANIFEST, find_work_folder
from transferkit.disk.store import Receipt, Store
from transferkit.training.data import Prepared, open_prepared
from transferkit.training.study import Study, plan_study
from transferkit.training.sweep import sweep
from transferkit.training.workers import default_workers, local_workers
from transferkit.treatments import plan

RUNS = tuple(run for split in ("random0", "random1") for run in plan(split, [0], ["baseA", "baseB"]))
STRONG = photos.Variation(0.4, 1.7, 45.0, 0.2, (0.4, 1.3), (0.3, 1.2), 0.3, 0.08)
MILD = photos.Variation(0.25, 1.4, 20.0, 0.12, (0.6, 1.2), (0.6, 1.2), 0.15, 0.04)
VIEWS = {"strong": STRONG, "half-way": photos.Variation(), "mild": MILD}  # half-way: what photos has now
SHAPES = "shapeworld"  # in place of views: the drawn data set


@dataclass(frozen=True)
class Candidate:
    """A recipe to try: the name of its views, its images per class, its epochs, and the preset of all else."""

    views: str
    images_per_class: int
    epochs: int
    preset: str = "quick"


CANDIDATES = (
    Candidate("strong", 320, 6),
    Candidate("strong", 100, 30),
    Candidate("strong", 160, 20),
    Candidate("half-way", 320, 9),
    Candidate("half-way", 160, 16),
    Candidate("half-way", 100, 24),
    Candidate("half-way", 100, 30),
    Candidate("mild", 320, 6),
    Candidate("mild", 100, 16),
    Candidate("mild", 320, 12),
    Candidate("half-way", 160, 32),
    Candidate("half-way", 320, 18),
    Candidate(SHAPES, 160, 32),
    Candidate(SHAPES, 160, 64),
    Candidate("half-way", 160, 32, "class"),
)


def main() -> None:
    """Train, measure, and write the table after each candidate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path)
    out, console, rows = parser.parse_args().csv, Console(), []
    for candidate in CANDIDATES:
        rows.append({**vars(candidate), **measure(candidate, console)})
        table = pd.DataFrame(rows).round(4)
        atomic.write_bytes(out, table.to_csv(index=False).encode())
        console.print(table.tail(1).to_string(index=False), markup=False, highlight=False)


def measure(candidate: Candidate, console: Console) -> dict[str, float]:
    """The row of a candidate; networks that are not there yet are trained."""
    prepared = views_of(candidate.views)
    once, twice = (_train(prepared, preset_of(candidate, times), console) for times in (1, 2))
    gains = 100 * np.array([b.final.top1 - a.final.top1 for a, b in zip(once[1], twice[1], strict=True)])
    half = stdtrit(len(gains) - 1, 0.975) * gains.std(ddof=1) / np.sqrt(len(gains))
    study, receipts = once
    tables = [fit_table(study.store.weights(run, study.setting)["conv1.weight"]) for run in RUNS]
    classes = len(prepared.manifest.classes) // 2
    return {
        "thousand_images": classes * candidate.images_per_class * candidate.epochs / 1000,
        "top1": float(np.mean([receipt.final.top1 for receipt in receipts])),
        "gain": float(gains.mean()), "gain_low": float(gains.mean() - half), "gain_high": float(gains.mean() + half),
        "train_loss": float(np.mean([receipt.final.train_loss for receipt in receipts])),
        "r2": float(np.mean([table["r2"].mean() for table in tables])), "networks": len(receipts),
    }  # fmt: skip


def views_of(name: str) -> Prepared:
    """`photos` with these views, or `shapeworld`, prepared in the work folder under that name if it is not there."""
    folder = find_work_folder() / "data" / (name if name == SHAPES else f"photos-{name}")
    if not (folder / MANIFEST).exists():
        arguments = Arguments(train=320)
        drawn = shapeworld.rendered(arguments) if name == SHAPES else photos.rendered(arguments, VIEWS[name])
        write(folder, drawn, arguments)
    return open_prepared(folder, verify=False)


def preset_of(candidate: Candidate, times: int = 1) -> Preset:
    """The candidate's preset with its images and `times` its epochs."""
    preset, epochs = get_preset(candidate.preset), candidate.epochs * times
    return replace(preset, recipe=replace(preset.recipe, epochs=epochs, images_per_class=candidate.images_per_class))


def _train(prepared: Prepared, preset: Preset, console: Console) -> tuple[Study, list[Receipt]]:
    study = plan_study(prepared, preset, "auto", Store(find_work_folder()))
    show_progress(sweep(study, RUNS, local_workers(default_workers(study.setting.device))), console)
    return study, [receipt for run in RUNS if (receipt := study.store.find(run, study.setting))]


if __name__ == "__main__":
    main()
