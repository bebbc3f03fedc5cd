"""Draw a data set and write it in the prepared format, whole or not at all."""

import io
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_prep.contact_sheet import write_contact_sheet
from data_prep.pictures import Images
from data_prep.progress import Tell, silent
from data_prep.workers import in_order
from transferkit.disk import atomic
from transferkit.disk.prepared import (
    CONTACT_SHEET,
    IMAGES,
    LABELS,
    MANIFEST,
    ClassInfo,
    Manifest,
    Part,
    file_checksum,
    read_manifest,
    write_manifest,
)
from transferkit.errors import DataError, UsageError
from transferkit.hardware import usable_cores

SET_ASIDE, CHANGED = "set_aside.csv", "changed.csv"  # of data sets that are read, not drawn
IMAGE_SIZE = 48


@dataclass(frozen=True)
class Arguments:
    """What determines the bytes of a drawn data set. Raises UsageError for counts below 1 or a negative seed."""

    seed: int = 0
    train: int = 160  # images per class
    valid: int = 80

    def __post_init__(self) -> None:
        if not (0 <= self.seed < 2**63 and self.train >= 1 and self.valid >= 1):
            raise UsageError(
                f"seed {self.seed} with {self.train} training and {self.valid} validation images a class cannot be "
                "drawn: give a seed of 0 or more, and at least 1 image of each."
            )

    def as_mapping(self) -> dict[str, int | float | str | bool]:
        """The arguments by name, as the manifest records them."""
        return {"seed": self.seed, "train": self.train, "valid": self.valid}


@dataclass(frozen=True)
class Rendered:
    """A data set that is drawn, not read. `draw(label, part, count)` draws count x 3 x 48 x 48 images of one class.

    Several threads call it, each for a different class.
    """

    name: str
    classes: tuple[ClassInfo, ...]
    source: str
    validation: str
    draw: Callable[[int, Part, int], Images]


def write(folder: Path, rendered: Rendered, arguments: Arguments, tell: Tell = silent) -> Manifest:
    """Draw every class into `folder`; an older folder is replaced only when everything is drawn.

    `tell` is called after each class. Raises StoreError when the disk is full or not writable.
    """
    classes = len(rendered.classes)
    ends = classes * arguments.train, classes * (arguments.train + arguments.valid)
    with atomic.new_folder(folder) as partial:
        _write_images(partial / IMAGES, rendered, arguments, tell)
        _write_labels(partial / LABELS, classes, arguments)
        checksums = {name: file_checksum(partial / name) for name in (IMAGES, LABELS)}
        written = Manifest(
            name=rendered.name, classes=rendered.classes, image_size=IMAGE_SIZE, train=(0, ends[0]), valid=ends,
            source=rendered.source, validation=rendered.validation, checksums=checksums,
            arguments=arguments.as_mapping(),
        )  # fmt: skip
        write_contact_sheet(partial, written, partial / CONTACT_SHEET)
        write_manifest(partial, written)
    return written


def find_prepared(folder: Path, name: str, arguments: Mapping[str, object]) -> Manifest | None:
    """The manifest of `folder` if it already holds exactly this data set, None if nothing is there.

    Raises DataError when it holds anything else: another data set, one with other arguments, or damaged files.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    if folder.is_file():
        raise DataError(f"{folder} is a file, not a folder: give another --out.")
    remedy = "add --force to replace it, or give another --out."
    try:
        found = read_manifest(folder)
    except DataError as problem:
        raise DataError(f"{problem} Or {remedy}") from None
    if (found.name, dict(found.arguments)) != (name, dict(arguments)):
        raise DataError(
            f"{folder} holds {found.name} prepared with {_listed(found.arguments)}, "
            f"not {name} with {_listed(arguments)}: {remedy}"
        )
    return found


def check_replaceable(folder: Path) -> None:
    """Raise DataError if `folder` holds anything but a data set, so that --force deletes no other file."""
    known = {IMAGES, LABELS, MANIFEST, CONTACT_SHEET, SET_ASIDE, CHANGED}
    others = sorted({path.name for path in folder.iterdir()} - known) if folder.is_dir() else []
    if others or folder.is_file():
        what = f"also holds {', '.join(others[:3])}" if others else "is a file"
        raise DataError(f"{folder} {what}, which --force would delete: move that away, or give another --out.")


def _listed(arguments: Mapping[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in arguments.items())


def _write_images(path: Path, rendered: Rendered, arguments: Arguments, tell: Tell) -> None:
    # Written by hand: on a full disk a memory map kills the process, and numpy.save hides the reason.
    # Threads suffice to keep all cores busy: NumPy and SciPy release the interpreter lock while they compute.
    classes, cores = len(rendered.classes), usable_cores()
    shape = classes * (arguments.train + arguments.valid), 3, IMAGE_SIZE, IMAGE_SIZE

    def draw(label: int) -> tuple[Images, Images]:
        return rendered.draw(label, "train", arguments.train), rendered.draw(label, "valid", arguments.valid)

    with open(path, "wb") as file, ThreadPoolExecutor(cores) as threads:
        np.lib.format.write_array_header_1_0(file, {"shape": shape, "fortran_order": False, "descr": "|u1"})
        start = file.tell()
        for label, (train, valid) in enumerate(in_order(threads, draw, range(classes), ahead=2 * cores)):
            firsts = label * arguments.train, classes * arguments.train + label * arguments.valid
            for first, images in zip(firsts, (train, valid), strict=True):
                file.seek(start + first * 3 * IMAGE_SIZE**2)
                file.write(images.tobytes())
            tell(label + 1, classes)


def _write_labels(path: Path, classes: int, arguments: Arguments) -> None:
    parts = [np.repeat(np.arange(classes, dtype=np.int64), count) for count in (arguments.train, arguments.valid)]
    np.save(buffer := io.BytesIO(), np.concatenate(parts))
    path.write_bytes(buffer.getvalue())
