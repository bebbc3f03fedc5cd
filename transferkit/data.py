"""From a prepared folder to one half of its classes on a device, and from there to deterministic batches."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from transferkit.errors import DataError
from transferkit.manifest import IMAGES, LABELS, Manifest, Part, read_manifest
from transferkit.splits import ClassSplit, make_split
from transferkit.streams import Key, generator_from
from transferkit.treatments import Half


@dataclass(frozen=True)
class HalfData:
    """Images of one half, uint8 N x 3 x H x W, and labels, int64 N, numbered 0..n_classes-1 within the half."""

    images: Tensor
    labels: Tensor
    n_classes: int


@dataclass(frozen=True)
class Prepared:
    """A prepared folder and its manifest; the arrays stay on disk until a half is loaded."""

    folder: Path
    manifest: Manifest

    def split(self, name: str) -> ClassSplit:
        """The split called `name` of these classes. Raises UsageError when they cannot be split so."""
        classes = self.manifest.classes
        known_parts = all(info.parts for info in classes)
        return make_split(name, [info.natural for info in classes], known_parts=known_parts)


def open_prepared(folder: Path, *, verify: bool = True) -> Prepared:
    """Open a prepared folder; `verify` hashes it against its manifest. Raises DataError when it is damaged."""
    return Prepared(folder, read_manifest(folder, verify=verify))


def load_half(
    prepared: Prepared, split: ClassSplit, half: Half, part: Part, *, images_per_class: int | None = None
) -> HalfData:
    """The training or validation images of one half, in file order, in memory.

    `images_per_class` keeps the first so many training images of each class, as the paper's supplement does.
    Raises DataError when a class has fewer, or the arrays cannot be read.
    """
    manifest = prepared.manifest
    first, last = manifest.train if part == "train" else manifest.valid
    labels = _rows(prepared.folder / LABELS, first, last)
    classes = split.classes(half)
    kept = np.flatnonzero(np.isin(labels, classes))
    if images_per_class is not None and part == "train":
        kept = _first_of_each(labels, kept, images_per_class, prepared)
    images = _rows(prepared.folder / IMAGES, first, last)[kept]
    within = np.searchsorted(classes, labels[kept])
    return HalfData(torch.from_numpy(images), torch.from_numpy(within.astype(np.int64)), len(classes))


def _rows(path: Path, first: int, last: int) -> np.ndarray:
    try:
        rows: np.ndarray = np.load(path, mmap_mode="r")[first:last]
        return rows
    except (OSError, ValueError) as problem:
        raise DataError(f"{path} cannot be read ({problem}): prepare the data set again.") from problem


def _first_of_each(labels: np.ndarray, kept: np.ndarray, count: int, prepared: Prepared) -> np.ndarray:
    rows = [kept[labels[kept] == label][:count] for label in np.unique(labels[kept])]
    if fewest := min((len(row) for row in rows if len(row) < count), default=0):
        raise DataError(
            f"{prepared.manifest.name} has a class with {fewest} training images, fewer than the {count} asked "
            "for: ask for fewer images per class or prepare more."
        )
    return np.sort(np.concatenate(rows))


def batch_order(n_images: int, batch_size: int, *keys: Key) -> Tensor:
    """The rows of one epoch's batches, int64 batches x batch size, as the keys alone decide; no short last batch."""
    order = torch.from_numpy(generator_from(*keys).permutation(n_images))
    return order[: n_images - n_images % batch_size].view(-1, batch_size)


def to_input(images: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """uint8 images of any shape to what a network reads: (pixel - 128) / 64, exact in bfloat16 too.

    Constants rather than the mean of a half: a copied layer then meets the same scale on both halves.
    """
    return images.to(dtype).sub_(128).div_(64)
