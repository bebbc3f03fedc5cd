"""How accurate networks are on the classes from each picture: by-picture.csv, which `claims.pictures` reads."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from rich.progress import track

from course.evidence.sweeps import SeriesStep
from transferkit.config import digest
from transferkit.disk import atomic
from transferkit.network.views import take_centres
from transferkit.session import load_network
from transferkit.training.data import load_half
from transferkit.training.machine import threads
from transferkit.training.study import Study
from transferkit.treatments import Run

PICTURE_COLUMNS = (
    "receipt", "run", "treatment", "split", "seed", "target", "n", "data", "epochs", "picture", "classes", "top1",
)  # fmt: skip
_BATCH = 400
_KEYS = ["run", "split", "seed", "epochs"]


def write_by_picture(steps: Sequence[SeriesStep], executor: Executor, folder: Path) -> Path | None:
    """Write by-picture.csv: for each network of these steps and each picture, classes and top-1 (0..1) on them.

    Networks that the file has already are not looked at again; one of another setting takes the place of its like.
    Nothing is written for data whose classes are of a picture each.
    """
    path = folder / "by-picture.csv"
    earlier = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=list(PICTURE_COLUMNS))
    networks = {
        digest((run, step.study.setting)): (step.study, run)
        for step in steps
        if step.study.prepared.can_split("apart0")  # only classes in groups can be kept apart
        for run in step.runs
        if run.treatment != "RnB"
    }
    todo = {name: given for name, given in networks.items() if name not in set(earlier["receipt"])}
    results = executor.map(top1_by_picture, *zip(*todo.values(), strict=True)) if todo else iter(())
    found = zip(todo.items(), track(results, "by picture", len(todo), transient=True, disable=not todo), strict=True)
    rows = [row for (name, (study, run)), result in found for row in _rows(name, study, run, result)]
    new = pd.DataFrame(rows, columns=list(PICTURE_COLUMNS))
    replaced = earlier.set_index(_KEYS).index.isin(new.set_index(_KEYS).index)
    table = pd.concat([earlier[~replaced], new])
    if table.empty:
        return None
    atomic.write_bytes(path, table.round({"top1": 6}).to_csv(index=False).encode())
    return path


def top1_by_picture(study: Study, run: Run) -> dict[str, tuple[int, float]]:
    """By picture: how many classes of the target half come from it, and a finished network's top-1 (0..1) on them."""
    network = load_network(study, run).to(study.setting.device).eval()
    split = study.prepared.split(run.split)
    valid = load_half(study.prepared, split, run.target, "valid")
    images = take_centres(valid.images, network.spec.image_size)
    with torch.no_grad(), threads(study.setting.threads):
        right = torch.cat(
            [
                network(network.to_input(network.held(batch.to(study.setting.device)), torch.float32)).argmax(1).cpu()
                for batch in images.split(_BATCH)
            ]
        ).eq(valid.labels)
    known = study.prepared.manifest.classes
    groups = np.array([known[index].group for index in split.classes(run.target)])
    of_image = groups[valid.labels.numpy()]
    return {
        str(group): (int((groups == group).sum()), float(right.numpy()[of_image == group].mean()))
        for group in dict.fromkeys(groups)
    }


def _rows(name: str, study: Study, run: Run, result: dict[str, tuple[int, float]]) -> Iterator[tuple[object, ...]]:
    data, epochs = Path(study.setting.data).name, study.setting.recipe.epochs
    about = (name, run.label, run.treatment, run.split, run.seed, run.target, run.n, data, epochs)
    for group, (classes, top1) in result.items():
        yield (*about, group, classes, top1)
