"""What every lesson does first: open a study, train its networks under one line, look at its images."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.table import Table

from course import figures as course_figures
from transferkit import console
from transferkit.config import get_preset
from transferkit.disk.prepared import CONTACT_SHEET, find_work_folder
from transferkit.disk.store import Receipt, Store
from transferkit.errors import StoreError
from transferkit.figures import Picture, Png
from transferkit.report import finished
from transferkit.splits import ClassSplit
from transferkit.training.data import load_half, open_prepared
from transferkit.training.forecast import probe
from transferkit.training.study import Study, plan_study
from transferkit.training.sweep import sweep
from transferkit.training.workers import default_workers, local_workers
from transferkit.treatments import HALVES, Half, Run


def open_study(
    prepared: Path, preset: str, device: str = "auto", epochs: int | None = None, learning_rate: float | None = None
) -> Study:
    """The study of a prepared folder under a preset, by name, in the usual work folder. Raises as `plan_study`.

    `epochs` and `learning_rate` are for data sets so small that the preset's would be too few, or too high.
    """
    chosen = get_preset(preset, epochs, learning_rate)
    return plan_study(open_prepared(prepared), chosen, device, Store(find_work_folder()))


def plan_table(study: Study, runs: Sequence[Run]) -> Table:
    """Which of the runs are there, and the minutes that the others take here, by a probe of some six seconds."""
    workers = default_workers(study.setting.device)
    found = probe(study, workers, local_workers(workers))
    done = [receipt for run in runs if (receipt := study.store.find(run, study.setting))]
    return console.plan_table(study, runs, done, found)


def train(study: Study, runs: Sequence[Run]) -> list[Receipt]:
    """Train the runs that are not there yet, under one line rewritten in place; the receipts of all, in order.

    Stopped, it goes on from there when it is called again. Raises StoreError when none could be trained.
    """
    workers = local_workers(default_workers(study.setting.device))
    console.show_progress_in_notebook(sweep(study, runs, workers))
    return finished(study, runs)


def contact_sheet(study: Study) -> Png:
    """Some images of every class, as the data set was prepared with them. Raises StoreError when there is no sheet."""
    sheet, classes = study.prepared.folder / CONTACT_SHEET, study.prepared.manifest.classes
    if not sheet.is_file():
        raise StoreError(f"{sheet} is missing: data_prep.ensure draws it.")
    named = ", ".join(info.name for info in classes[:5])
    return Png(sheet.read_bytes(), f"Some images of each of the {len(classes)} classes: {named} and so on.", width=900)


def halves(study: Study, name: str, classes: int = 10, views: int = 3) -> Picture:
    """Some classes of each half of the split called `name`, with training images. Raises as `Prepared.split`."""
    split = study.prepared.split(name)
    sheets = [_sheet(study, split, half, classes, views) for half in HALVES]
    return course_figures.halves(sheets, f"The halves of split {name} on {study.setting.data}")


def _sheet(study: Study, split: ClassSplit, half: Half, count: int, views: int) -> course_figures.HalfSheet:
    infos = [study.prepared.manifest.classes[index] for index in split.classes(half)]
    data = load_half(study.prepared, split, half, "train", images_per_class=views)
    images, labels = data.images.numpy(), data.labels.numpy()
    shown = np.unique(np.linspace(0, len(infos) - 1, count).round().astype(int))
    natural = sum(info.natural for info in infos)
    return course_figures.HalfSheet(
        half,
        f"{len(infos) - natural} man-made classes, {natural} natural ones",
        tuple(infos[label].name for label in shown),
        np.stack([images[labels == label] for label in shown]),
    )
