"""`cifar100`: 100 classes in 32 x 32 pixels, 500 training and 100 validation images each (Krizhevsky 2009).

`tables/cifar100.csv` lists which superclasses are natural, and says why.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from data_prep.download import Published
from data_prep.listing import Item, Listing, read_table
from data_prep.pictures import Decoded, Images, PictureError
from data_prep.plainpickle import HeldArray, read_pickle
from data_prep.sources import Folder, read_archive
from transferkit.disk.prepared import ClassInfo
from transferkit.errors import DataError

ARCHIVE = Published(
    "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz", "cifar-100-python.tar.gz", 169_001_437,
    "eb9058c3a382ffc7106e4002c42a8d85",
)  # fmt: skip
SIDE = 32
SOURCE = "CIFAR-100 (Krizhevsky 2009), images of 32 x 32 pixels."
VALIDATION = "validation images are CIFAR-100's test images: other photographs of the same classes."


@dataclass(frozen=True)
class Rows:
    """Pictures in memory, uint8 N x 3 x 32 x 32. The place of a picture is its part and row, such as "train/17"."""

    arrays: dict[str, Images] = field(repr=False)

    def picture(self, place: str) -> Decoded:
        """See `data_prep.pictures.Pictures`."""
        part, _, row = place.partition("/")
        return Decoded(Image.fromarray(np.ascontiguousarray(self.arrays[part][int(row)].transpose(1, 2, 0))))


def list_cifar100(path: Path, name: str = "cifar100") -> Listing:
    """CIFAR-100 from `cifar-100-python.tar.gz`, a zip of its files, or the folder in it; classes in CIFAR's own order.

    Raises DataError when a file is missing, damaged or not CIFAR-100's.
    """
    parts = ("train", "test")
    contents = _contents(path, (*parts, "meta"))
    classes = _classes(
        [one.decode("latin-1") for one in _get(read_pickle(contents["meta"]), b"fine_label_names", list)]
    )
    arrays: dict[str, Images] = {}
    items: dict[str, tuple[Item, ...]] = {}
    for part in parts:
        stored = read_pickle(contents[part])
        arrays[part] = _get(stored, b"data", HeldArray).array().reshape(-1, 3, SIDE, SIDE)
        labels = _get(stored, b"fine_labels", list)
        if len(labels) != len(arrays[part]) or not all(label in range(len(classes)) for label in labels):
            raise DataError(f"{path}: the labels of '{part}' do not fit its images: fetch it again.")
        mark = hashlib.sha256(contents[part]).hexdigest()[:16]
        items[part] = tuple(Item(f"{part}/{row}", label, mark) for row, label in enumerate(labels))
    return Listing(name, classes, items["train"], items["test"], Rows(arrays), SOURCE, VALIDATION, published=True)


def _classes(names: list[str]) -> tuple[ClassInfo, ...]:
    kinds = {one: row["kind"] == "natural" for row in read_table("cifar100.csv") for one in row["classes"].split()}
    if set(names) != set(kinds) or len(names) != len(kinds):
        raise DataError("the classes are not the 100 of CIFAR-100: name cifar-100-python.tar.gz as it was published.")
    return tuple(ClassInfo(name.replace("_", " "), kinds[name]) for name in names)


def _contents(path: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    if not path.is_dir():
        return read_archive(path, names)
    folder = path / "cifar-100-python" if (path / "cifar-100-python").is_dir() else path
    try:
        return {name: Folder(folder).read(name) for name in names}
    except PictureError as problem:
        raise DataError(f"{folder} holds no CIFAR-100 ({problem}): it needs {', '.join(names)}.") from None


def _get(stored: dict[bytes, Any], key: bytes, kind: type[Any]) -> Any:
    value = stored.get(key)
    if not isinstance(value, kind):
        raise DataError(f"the pickle holds no {key.decode()}: this is not CIFAR-100 as published.")
    return value
