"""The kept networks of this project: they travel with the course, to be looked at before anything is trained.

`python -m course.lesson.kept_networks WORK` makes them again from a work folder that holds their runs. A file keeps its
network's weights as float16, without the layers that were copied and frozen: these are read from its base's file.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
from safetensors.numpy import load as load_safetensors
from safetensors.numpy import save as save_safetensors

from course.lesson.anatomy import accuracy
from transferkit.config import Setting, get_preset
from transferkit.disk import atomic
from transferkit.disk.prepared import prepared_folder
from transferkit.disk.store import HISTORY, WEIGHTS, Receipt, Store
from transferkit.errors import DataError, StoreError, TransferkitError, UsageError
from transferkit.results import tabulate
from transferkit.specs import read_net
from transferkit.training.data import open_prepared
from transferkit.training.study import Study, plan_study
from transferkit.treatments import CHOP_POINTS, Run, plan

FOLDER = Path(__file__).parents[1] / "kept"
INDEX = "receipts.json"
DATA, SPLIT, SEED, PRESET = "photos", "random0", 0, "quick"
MOST_LOST = 0.001  # of top-1, by float16
SHOWN_EPOCHS = (0, 1, 2, 4, 8, 16, 32)  # of a base's first layer
RUNS = tuple(plan(SPLIT, [SEED], [f"{source}{n}B" for source in "AB" for n in CHOP_POINTS]))


@dataclass(frozen=True)
class Kept:
    """One kept network: its receipt as it was written, the SHA-256 of its files here, and its top-1 with float16."""

    receipt: Receipt
    files: Mapping[str, str]
    top1: float


@dataclass(frozen=True)
class KeptStore(Store):
    """A folder of kept networks as a store that is only read: `work` is that folder."""

    @property
    def index(self) -> Mapping[Run, Kept]:
        """What is kept, by run. Raises DataError when the index is missing or cannot be read."""
        return _read_index(self.work)

    def find(self, run: Run, setting: Setting) -> Receipt | None:
        """The receipt of a kept network under this setting, or None; its files are checked when they are read."""
        kept = self.index.get(run)
        return kept.receipt if kept and kept.receipt.setting == setting else None

    def receipts(self) -> Iterator[Receipt]:
        """The receipts of all kept networks."""
        yield from (kept.receipt for kept in self.index.values())

    def _read(self, run: Run, setting: Setting, name: str) -> dict[str, np.ndarray]:
        """A file's arrays as float32, with those that were copied and frozen. Raises StoreError as Store does."""
        if self.find(run, setting) is None or name not in self.index[run].files:
            raise StoreError(
                f"{run.label} has no {name} among the kept networks: choose {', '.join(map(str, _labels()))} of "
                f"{SPLIT}, seed {SEED}, or train it."
            )
        arrays = self._file(run, name)
        if name == WEIGHTS and run.source_base is not None:
            base = self._file(run.source_base, name)
            arrays = {key: arrays.get(key, base[key]) for key in base}
        return {key: array.astype(np.float32) for key, array in arrays.items()}

    def _file(self, run: Run, name: str) -> dict[str, np.ndarray]:
        content = (path := self.work / file_name(run, name)).read_bytes() if self.work.is_dir() else b""
        if sha256(content).hexdigest() != self.index[run].files[name]:
            raise StoreError(f"{path} is damaged: install the course again, or check the repository out anew.")
        return load_safetensors(content)


def kept_networks(study: Study) -> Study:
    """The study of the kept networks, on the images of `study`: baseA, baseB, AnB and BnB for n = 1 to 7.

    They were trained on photos at the preset quick, split random0, seed 0, whatever `study` is. Raises UsageError when
    its data are not photos, since the networks know only these places.
    """
    if Path(study.setting.data).name != DATA:
        raise UsageError(
            f"the kept networks know the data set {DATA}, not {study.setting.data}: open a study of {DATA}."
        )
    store = KeptStore(FOLDER)
    setting = next(iter(store.index.values())).receipt.setting
    return replace(study, setting=setting, store=store)


def kept_table() -> pd.DataFrame:
    """The table of the kept networks, as `tk.tabulate` makes it."""
    return tabulate(KeptStore(FOLDER).receipts())


def keep_networks(study: Study, folder: Path) -> tuple[Kept, ...]:
    """Write RUNS, which must be finished in `study`, into `folder`; the index is written last.

    Raises StoreError when one of them is not trained, DataError when float16 changes a top-1 by more than 0.1 points.
    """
    kept = tuple(_keep(study, run, folder) for run in RUNS)
    _write_index(kept, folder)
    copy = replace(study, store=KeptStore(folder))
    kept = tuple(replace(one, top1=accuracy(copy, one.receipt.run)) for one in kept)
    if off := [one for one in kept if abs(one.top1 - one.receipt.final.top1) > MOST_LOST]:
        first = off[0]
        raise DataError(
            f"{first.receipt.run.label} has top-1 {first.top1:.4f} with float16, not {first.receipt.final.top1:.4f}: "
            "keep these weights as float32."
        )
    _write_index(kept, folder)
    return kept


def file_name(run: Run, name: str) -> str:
    """The name of one of a kept network's files."""
    return f"{run.label}-{name}"


def _labels() -> list[str]:
    return [run.label for run in RUNS]


def _keep(study: Study, run: Run, folder: Path) -> Kept:
    receipt = study.store.find(run, study.setting)
    if receipt is None:
        raise StoreError(f"{run.label} is not trained in {study.store.work}: run the sweep of {DATA} there first.")
    copied = run.n if run.source else 0
    own = study.setting.net.layers[copied:]
    weights = study.store.weights(run, study.setting)
    contents = {WEIGHTS: {name: array for name, array in weights.items() if name.split(".")[0] in own}}
    if run.source is None:
        history = study.store.history(run, study.setting)
        contents[HISTORY] = {str(epoch): history[epoch] for epoch in SHOWN_EPOCHS if epoch in history}
    packed = {
        name: save_safetensors({key: a.astype(np.float16) for key, a in c.items()}) for name, c in contents.items()
    }
    for name, content in packed.items():
        atomic.write_bytes(folder / file_name(run, name), content)
    return Kept(receipt, {name: sha256(content).hexdigest() for name, content in packed.items()}, receipt.final.top1)


def _write_index(kept: tuple[Kept, ...], folder: Path) -> None:
    atomic.write_bytes(folder / INDEX, msgspec.json.format(msgspec.json.encode(kept), indent=0) + b"\n")
    _read_index.cache_clear()


@cache
def _read_index(folder: Path) -> Mapping[Run, Kept]:
    try:
        content = (folder / INDEX).read_bytes()
        kept = msgspec.json.decode(content, type=tuple[Kept, ...], dec_hook=read_net)
    except (OSError, msgspec.DecodeError) as problem:
        raise DataError(f"{folder / INDEX} cannot be read ({problem}): install the course again.") from None
    return {one.receipt.run: one for one in kept}


def main(words: Sequence[str]) -> None:
    """Make them again from the work folder that `words` name. Raises as `keep_networks`."""
    parser = argparse.ArgumentParser(prog="python -m course.lesson.kept_networks", description=__doc__)
    parser.add_argument("work", type=Path, help="a work folder with the runs of photos, preset quick, split random0")
    work = parser.parse_args(words).work
    prepared = open_prepared(prepared_folder(work, DATA))
    keep_networks(plan_study(prepared, get_preset(PRESET), "cpu", Store(work), "float32"), FOLDER)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except TransferkitError as problem:
        sys.exit(str(problem))
