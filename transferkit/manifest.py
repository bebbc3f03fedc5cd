"""The prepared format: what `data_prep` writes and the rest of the library reads.

A prepared data set is a folder of three files. `images.npy` is uint8, N x 3 x H x W, training images first;
`labels.npy` is int64, N, an index into the manifest's classes; `manifest.json` is the Manifest below.
Anything that writes these can be studied.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from transferkit import atomic
from transferkit.errors import DataError

Part = Literal["train", "valid"]
IMAGES, LABELS, MANIFEST = "images.npy", "labels.npy", "manifest.json"
CONTACT_SHEET = "contact.png"  # some images of every class, for people


@dataclass(frozen=True)
class ClassInfo:
    """One class: its name, whether it is natural (or man-made), and the parts it is made of, if known.

    Where several classes come from one picture, their names begin with its name and a hyphen.
    """

    name: str
    natural: bool
    parts: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """What this class has in common with others whose names begin alike, as one photograph."""
        return self.name.partition("-")[0]


@dataclass(frozen=True)
class Manifest:
    """What a prepared folder holds. Ranges are half-open rows of the arrays; checksums are SHA-256."""

    name: str
    classes: tuple[ClassInfo, ...]
    image_size: int
    train: tuple[int, int]
    valid: tuple[int, int]
    source: str
    validation: str  # in words: how the validation images differ from the training images
    checksums: Mapping[str, str]
    arguments: Mapping[str, int | float | str | bool] = field(default_factory=dict)
    format: int = 1

    def checksum(self) -> str:
        """SHA-256 of everything here, and so of every byte of the data set: its identity in receipts."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


def file_checksum(path: Path) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json` into a prepared folder, atomically and for people to read."""
    text = msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=1)
    atomic.write_bytes(folder / MANIFEST, text + b"\n")


def read_manifest(folder: Path, *, verify: bool = True) -> Manifest:
    """Read a prepared folder's manifest; with `verify`, hash both arrays against it (about 1 s per GB).

    Raises DataError when the folder is not prepared, its manifest does not parse, or a checksum is wrong.
    """
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise DataError(
            f"{folder} holds no prepared data set (no {MANIFEST}): prepare one with "
            "'python -m data_prep NAME' or name another folder."
        ) from None
    except msgspec.DecodeError as problem:
        raise DataError(f"{folder / MANIFEST} does not parse ({problem}): prepare the data set again.") from None
    if verify:
        _verify(folder, manifest)
    return manifest


def _verify(folder: Path, manifest: Manifest) -> None:
    for name in (IMAGES, LABELS):
        wanted = manifest.checksums.get(name, "none")
        found = file_checksum(folder / name) if (folder / name).is_file() else "no such file"
        if found != wanted:
            raise DataError(
                f"{folder / name} has checksum {found[:12]}, its manifest says {wanted[:12]}: the file was "
                "changed or cut short; delete the folder and prepare the data set again."
            )
