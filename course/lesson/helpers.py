"""What every lesson does first and last: open a study, train its networks under one line, show a picture."""

import io
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from rich.table import Table

from course import figures as course_figures
from transferkit import console, figures
from transferkit import console as progress
from transferkit.config import get_preset
from transferkit.disk.prepared import CONTACT_SHEET, find_work_folder
from transferkit.disk.store import Receipt, Store
from transferkit.errors import StoreError
from transferkit.report import finished
from transferkit.splits import ClassSplit
from transferkit.training.data import load_half, open_prepared
from transferkit.training.forecast import probe
from transferkit.training.study import Study, plan_study
from transferkit.training.sweep import sweep
from transferkit.training.workers import default_workers, local_workers
from transferkit.treatments import HALVES, Half, Run

LARGE = 1_000_000  # bytes: only a sheet of photographs is larger without loss


@dataclass(frozen=True)
class Picture:
    """A PNG with its alternative text, `width` CSS pixels wide, for every front end of Jupyter.

    JupyterLab 4 and nbconvert take the HTML, which alone gives their `<img>` its alt; what keeps pictures as files
    (the batch, the book) takes the PNG, whose metadata hold it.
    """

    png: bytes
    alt: str
    width: int

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, dict[str, object]]]:
        source = f"data:image/webp;base64,{b64encode(_to_webp(self.png)).decode()}"
        html = f'<img src="{source}" alt="{escape(self.alt)}" width="{self.width}" style="max-width:100%;height:auto">'
        bundle = {"image/png": b64encode(self.png).decode(), "text/html": html, "text/plain": self.alt}
        return bundle, {"image/png": {"alt": self.alt, "width": self.width}}


def open_study(
    prepared: Path, preset: str, device: str = "auto", epochs: int | None = None, learning_rate: float | None = None
) -> Study:
    """The study of a prepared folder under a preset, by name, in the usual work folder. Raises as `plan_study`.

    `epochs` and `learning_rate` are for data sets so small that the preset's would be too few, or too high.
    """
    chosen = get_preset(preset, epochs, learning_rate)
    return plan_study(open_prepared(prepared), chosen, device, Store(find_work_folder()))


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
    progress.show_progress_in_notebook(sweep(study, runs, workers))
    return finished(study, runs)


def picture(figure: Figure, alt: str, width: int = 800) -> Picture:
    """A figure as a notebook shows it, `width` CSS pixels wide; its alternative text stays with it wherever it goes."""
    return png(figures.to_png(figure, alt), alt, width)


def png(drawn: bytes, alt: str, width: int = 800) -> Picture:
    """As `picture`, of a picture that is a PNG already."""
    return Picture(drawn, alt, width)


def contact_sheet(study: Study) -> Picture:
    """Some images of every class, as the data set was prepared with them. Raises StoreError when there is no sheet."""
    sheet, classes = study.prepared.folder / CONTACT_SHEET, study.prepared.manifest.classes
    if not sheet.is_file():
        raise StoreError(f"{sheet} is missing: data_prep.ensure draws it.")
    named = ", ".join(info.name for info in classes[:5])
    return png(sheet.read_bytes(), f"Some images of each of the {len(classes)} classes: {named} and so on.", width=900)


def halves(study: Study, name: str, classes: int = 10, views: int = 3) -> Picture:
    """Some classes of each half of the split called `name`, with training images. Raises as `Prepared.split`."""
    split = study.prepared.split(name)
    sheets = [_sheet(study, split, half, classes, views) for half in HALVES]
    title = f"The halves of split {name} on {study.setting.data}"
    return picture(course_figures.draw_halves(sheets, title), course_figures.describe_halves(sheets, title))


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


def _to_webp(png: bytes) -> bytes:
    """The same pixels in a third of the bytes, so that a notebook that holds both is not twice as large."""
    with Image.open(io.BytesIO(png)) as picture:
        picture.save(buffer := io.BytesIO(), "WEBP", lossless=True, method=2)
        if len(buffer.getvalue()) > LARGE:
            picture.save(buffer := io.BytesIO(), "WEBP", quality=90)
    return buffer.getvalue()
