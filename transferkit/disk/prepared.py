"""The work folder, and the prepared data sets in it with their manifests.

A prepared data set is a folder of three files. `images.npy` is uint8, N x 3 x H x W, training images first;
`labels.npy` is int64, N, indices into the manifest's classes; `manifest.json` is the Manifest below. Any program that
writes these three files can supply a data set.
"""

import hashlib
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from transferkit.disk import atomic
from transferkit.errors import DataError, UsageError

Part = Literal["train", "valid"]
IMAGES, LABELS, MANIFEST = "images.npy", "labels.npy", "manifest.json"
CONTACT_SHEET = "contact.png"  # some images of every class, for people


@dataclass(frozen=True)
class ClassInfo:
    """One class: its name, whether it is natural (or man-made), and the parts that it consists of, if known.

    If several classes come from one picture, their names begin with its name and a hyphen.
    """

    name: str
    natural: bool
    parts: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The start of the name, which this class shares with others of the same picture."""
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
    doubts: tuple[str, ...] = ()  # what may spoil results on these images, each a phrase that fits a caption

    def checksum(self) -> str:
        """SHA-256 of the manifest, and so of every byte of the data set: its identity in receipts."""
        return hashlib.sha256(self.encoded()).hexdigest()

    def encoded(self) -> bytes:
        """The manifest as JSON, without `doubts` where there are none, as it was before they were recorded."""
        fields = msgspec.to_builtins(self, order="deterministic")
        return msgspec.json.encode({name: value for name, value in fields.items() if name != "doubts" or value})


def file_checksum(path: Path) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json` into a prepared folder, atomically, and indented for people to read."""
    text = msgspec.json.format(manifest.encoded(), indent=1)
    atomic.write_bytes(folder / MANIFEST, text + b"\n")


def read_manifest(folder: Path, *, verify: bool = True) -> Manifest:
    """Read a prepared folder's manifest; with `verify`, compare both arrays with its checksums (about 1 s per GB).

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
    for name in (IMAGES, LABELS) if verify else ():
        wanted = manifest.checksums.get(name, "none")
        found = file_checksum(folder / name) if (folder / name).is_file() else "no such file"
        if found != wanted:
            raise DataError(
                f"{folder / name} has checksum {found[:12]}, its manifest says {wanted[:12]}: the file was "
                "changed or cut short; delete the folder and prepare the data set again."
            )
    return manifest


def find_work_folder() -> Path:
    """The folder `TRANSFERKIT_WORK` if set, else `work` in the checkout around the current folder, else `./work`.

    Raises UsageError when the variable is no whole path: it would be another folder for every notebook.
    """
    if named := os.environ.get("TRANSFERKIT_WORK"):
        folder = work_folder(named)
        if not Path(named).expanduser().is_absolute():
            raise UsageError(
                f"TRANSFERKIT_WORK is '{named}', which every notebook would seek beside itself: write the whole path, "
                f"export TRANSFERKIT_WORK={shlex.quote(str(folder))}."
            )
        return folder
    here = Path.cwd()
    checkouts = (folder for folder in (here, *here.parents) if (folder / "transferkit" / "py.typed").is_file())
    return next(checkouts, here) / "work"


def work_folder(named: str) -> Path:
    """The whole path of a folder that a user names, as in `--work ~/mine`, valid for processes that start elsewhere.

    Raises UsageError when it lies in the home of a user whom this machine does not know.
    """
    try:
        return Path(named).expanduser().absolute()
    except RuntimeError:
        raise UsageError(f"'{named}' is in the home of nobody known here: give the folder's whole path.") from None


def prepared_folder(work: Path, data: str) -> Path:
    """The folder of the prepared data set `data`, which is its name in the work folder, or its path.

    Raises UsageError when neither exists, listing the names that do and the command that prepares it there.
    """
    named = work / "data" / data
    if named.is_dir():
        return named
    if os.sep in data and Path(data).is_dir():
        return Path(data).absolute()
    names = sorted(folder.name for folder in (work / "data").glob("[!.]*") if folder.is_dir())
    out = "" if work == find_work_folder() else f" --out {shlex.quote(str(named))}"
    raise UsageError(
        f"no prepared data set '{data}' (prepared in {work}: {', '.join(names) or 'none'}): run "
        f"'python -m data_prep {data}{out}', or give the path of a prepared folder."
    )
