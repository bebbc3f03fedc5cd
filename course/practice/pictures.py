"""The pictures that a curve is measured on: a folder with a folder of pictures per class, or a prepared data set."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from transferkit.disk.atomic import exclusive
from transferkit.disk.prepared import IMAGES, LABELS, MANIFEST
from transferkit.errors import DataError, UsageError
from transferkit.hardware import usable_cores

if TYPE_CHECKING:
    from transferkit.training.data import Prepared

EXAMPLE = "tiles"  # the example of a folder, which data_prep cuts from photographs
PER_FOLD = 2  # different pictures that a class must give each fold to validate

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Pictures:
    """All pictures of a prepared data set, training and validation alike, since folds divide them anew.

    `labels` and `copies` are int64, N. Pictures with the same pixels have the same number in `copies`.
    """

    prepared: Prepared
    labels: Numbers
    copies: Numbers

    @property
    def images(self) -> NDArray[np.uint8]:
        """The pictures, uint8 N x 3 x H x W, read from the disk where they are used."""
        rows: NDArray[np.uint8] = np.load(self.prepared.folder / IMAGES, mmap_mode="r")
        return rows


def find_pictures(data: str, work: Path, size: int, folds: int) -> Pictures:
    """The pictures of `data`: a folder of class folders, which is prepared at `size` pixels, or a prepared data set.

    `tiles` is the example of data_prep. Raises UsageError where there is no such data or a prepared set has another
    size, DataError where a class has too few different pictures for the folds, there is one class only, or none.
    """
    return open_pictures(_prepared_folder(data, work, size, folds), size, folds)


def open_pictures(folder: Path, size: int, folds: int) -> Pictures:
    """The pictures of a prepared folder. Raises as `find_pictures`."""
    from transferkit.training.data import open_prepared

    prepared = open_prepared(folder)
    manifest = prepared.manifest
    if manifest.image_size != size:
        raise UsageError(
            f"{manifest.name} is prepared with {manifest.image_size} pixels and this network is to read {size}: give "
            "the folder of pictures with --size, prepare it anew, or choose another --net."
        )
    labels = np.load(folder / LABELS)
    seen: dict[bytes, int] = {}
    rows = np.load(folder / IMAGES, mmap_mode="r")
    copies = np.array([seen.setdefault(hashlib.sha256(row.tobytes()).digest(), len(seen)) for row in rows])
    distinct = Counter(label for label, _ in {*zip(labels.tolist(), copies.tolist(), strict=True)})
    _refuse_few({info.name: distinct[label] for label, info in enumerate(manifest.classes)}, manifest.name, folds)
    return Pictures(prepared, labels, copies)


def _prepared_folder(data: str, work: Path, size: int, folds: int) -> Path:
    given, named = Path(data).expanduser(), work / "data" / data
    if (given / MANIFEST).is_file():
        return given.absolute()
    if data == EXAMPLE:
        from data_prep.tiles import write_tiles

        return _prepare(write_tiles(work / "pictures" / EXAMPLE), work, size, folds)
    if given.is_dir():
        return _prepare(given, work, size, folds)
    if (named / MANIFEST).is_file():
        return named
    raise UsageError(
        f"{data} is neither a folder nor a data set prepared in {work}: give a folder that holds one folder of "
        f"pictures per class, or '{EXAMPLE}', the example."
    )


def _prepare(root: Path, work: Path, size: int, folds: int) -> Path:
    """Fit the pictures to squares of `size` pixels, once."""
    from data_prep.folder import list_folder
    from data_prep.layout import read_layout
    from data_prep.listing import Fitting
    from data_prep.packing import arguments_of, write_listing
    from data_prep.rendering import find_prepared
    from data_prep.sources import Folder

    layout = read_layout(Folder(root))
    counts = Counter({name: len(places) for name, places in layout.train.items()})
    counts.update({name: len(places) for name, places in (layout.valid or {}).items()})
    _refuse_few(counts, str(root), folds)
    name = f"{root.resolve().name}-{size}"
    folder, listing, fitting = work / "data" / name, list_folder(root, name), Fitting(size)
    with exclusive(folder.with_name(f".{name}.lock")):
        if not find_prepared(folder, name, arguments_of(listing, fitting)):
            write_listing(folder, listing, fitting, usable_cores())
    return folder


def _refuse_few(counts: dict[str, int] | Counter[str], source: str, folds: int) -> None:
    needed = PER_FOLD * folds
    if not counts:
        raise DataError(
            f"{source} holds no folders of pictures: put the pictures of each class into a folder of its own."
        )
    if len(counts) == 1:
        raise DataError(
            f"{source} has one class, {next(iter(counts))}, and so nothing to tell apart: give a folder for each of "
            "two or more classes."
        )
    if few := {name: count for name, count in counts.items() if count < needed}:
        told = ", ".join(f"{name} {count}" for name, count in list(few.items())[:5])
        raise DataError(
            f"{source} has classes with too few different pictures ({told}{', ...' if len(few) > 5 else ''}): {folds} "
            f"folds need at least {needed} of each class; add some, drop the class, or give fewer --folds."
        )
