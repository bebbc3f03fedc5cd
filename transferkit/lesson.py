"""What every lesson does first and last: open a study, train its networks under one line, show a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from rich.table import Table

from transferkit import console, figures
from transferkit.config import get_preset
from transferkit.data import open_prepared
from transferkit.errors import StoreError
from transferkit.experiment import Study, plan_study
from transferkit.forecast import probe
from transferkit.manifest import CONTACT_SHEET
from transferkit.report import finished
from transferkit.store import Receipt, Store
from transferkit.sweep import sweep
from transferkit.treatments import Run
from transferkit.work import find_work_folder
from transferkit.workers import default_workers, local_workers

if TYPE_CHECKING:
    from IPython.display import Image


def open_study(prepared: Path, preset: str, device: str = "auto", epochs: int | None = None) -> Study:
    """The study of a prepared folder under a preset, by name, in the usual work folder. Raises as `plan_study`.

    `epochs` is for data sets so small that the preset's would be too few.
    """
    return plan_study(open_prepared(prepared), get_preset(preset, epochs), device, Store(find_work_folder()))


def plan_table(study: Study, runs: Sequence[Run]) -> Table:
    """Which of the runs are there, and the minutes that the others take here, by a probe of about ten seconds."""
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


def picture(figure: Figure, alt: str, width: int = 800) -> "Image":
    """A figure as a notebook shows it, `width` CSS pixels wide; its alternative text stays with it wherever it goes."""
    return png(figures.to_png(figure, alt), alt, width)


def png(drawn: bytes, alt: str, width: int = 800) -> "Image":
    """As `picture`, of a picture that is a PNG already."""
    from IPython.display import Image

    return Image(drawn, width=width, alt=alt)


def contact_sheet(study: Study) -> "Image":
    """Some images of every class, as the data set was prepared with them. Raises StoreError when there is no sheet."""
    sheet, classes = study.prepared.folder / CONTACT_SHEET, study.prepared.manifest.classes
    if not sheet.is_file():
        raise StoreError(f"{sheet} is missing: data_prep.ensure draws it.")
    named = ", ".join(info.name for info in classes[:5])
    return png(sheet.read_bytes(), f"Some images of each of the {len(classes)} classes: {named} and so on.", width=900)
