"""An unfinished data set: the chunks packed so far, so that a killed preparation can go on from there."""

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np

from data_prep.doubts import Values
from data_prep.workers import Chunk
from transferkit.disk import atomic
from transferkit.disk.prepared import IMAGES
from transferkit.errors import DataError

JOURNAL, PLAN, LOCK = "journal.jsonl", "plan.txt", "lock"


@dataclass(frozen=True)
class Entry:
    """What the journal says of a chunk in `images.npy`: its rows, their SHA-256, and the lists of its `Chunk`."""

    rows: int
    checksum: str
    dropped: tuple[int, ...]
    set_aside: tuple[tuple[str, str], ...]
    changed: tuple[tuple[str, str], ...]
    values: Values


@dataclass(frozen=True)
class Draft:
    """The folder of an unfinished data set with images of `size` pixels, locked by this process."""

    folder: Path
    size: int

    @property
    def row_bytes(self) -> int:
        """The bytes of one picture."""
        return 3 * self.size**2

    def resume(self, plan: str) -> list[Entry]:
        """The undamaged chunks that are there, if they belong to `plan`; anything else is removed.

        Each chunk is read and compared with its entry, because a power failure may have lost what was written.
        """
        images = self.folder / IMAGES
        goes_on = images.is_file() and _read(self.folder / PLAN) == plan.encode()
        self._remove_all_but(LOCK, *((JOURNAL, PLAN, IMAGES) if goes_on else ()))
        if not goes_on:
            images.write_bytes(self.header(0))
            atomic.write_bytes(self.folder / PLAN, plan.encode())
        kept = []
        with images.open("r+b") as file:
            end = file.seek(len(self.header(0)))
            for entry in _entries(_read(self.folder / JOURNAL)):
                if sha256(file.read(entry.rows * self.row_bytes)).hexdigest() != entry.checksum:
                    break
                kept.append(entry)
                end = file.tell()
            file.truncate(end)
        atomic.write_bytes(self.folder / JOURNAL, b"".join(_line(entry) for entry in kept))
        return kept

    def _remove_all_but(self, *names: str) -> None:
        """Remove files rather than overwrite them: an interrupted publication may have linked a data set to them."""
        for path in self.folder.iterdir():
            if path.name not in names:
                path.unlink()

    @contextmanager
    def appending(self) -> Iterator["Appender"]:
        """Open the draft to append chunks."""
        with (self.folder / IMAGES).open("ab") as images, (self.folder / JOURNAL).open("ab") as journal:
            yield Appender(images, journal, self.row_bytes)

    def finish_images(self, rows: int) -> None:
        """Write the number of rows into the header of `images.npy`, and force the file to the disk."""
        with (self.folder / IMAGES).open("r+b") as file:
            file.write(self.header(rows))
            file.flush()
            os.fsync(file.fileno())

    def header(self, rows: int) -> bytes:
        """The header of the array file; NumPy pads it to the same length for any number of rows."""
        buffer = io.BytesIO()
        shape = {"shape": (rows, 3, self.size, self.size), "fortran_order": False, "descr": "|u1"}
        np.lib.format.write_array_header_1_0(buffer, shape)
        return buffer.getvalue()

    def publish(self, folder: Path, names: list[str]) -> None:
        """Make the named files the data set `folder`, all at once. They stay here as well until that is done."""
        with atomic.new_folder(folder) as partial:
            for name in names:
                _link(self.folder / name, partial / name)
        self.discard()

    def discard(self) -> None:
        """Delete the draft."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Appender:
    """The open files of a draft."""

    images: BinaryIO
    journal: BinaryIO
    row_bytes: int

    def add(self, chunk: Chunk) -> Entry:
        """Append a chunk, then its entry."""
        rows = len(chunk.pixels) // self.row_bytes
        entry = Entry(rows, chunk.checksum(), chunk.dropped, chunk.set_aside, chunk.changed, chunk.values)
        self.images.write(chunk.pixels)
        self.images.flush()
        self.journal.write(_line(entry))
        self.journal.flush()
        return entry


@contextmanager
def open_draft(folder: Path, size: int) -> Iterator[Draft]:
    """The draft of the data set `folder`, in a folder beside it.

    Raises DataError when another process works on it, StoreError when it cannot be created.
    """
    place = folder.with_name(f".packing-{folder.name}")
    with atomic.exclusive(place / LOCK, wait=False) as mine:
        if not mine:
            raise DataError(f"another process is preparing {folder}: wait for it, or give another --out.")
        yield Draft(place, size)


def _entries(journal: bytes) -> Iterator[Entry]:
    for line in journal.split(b"\n"):
        try:
            yield msgspec.json.decode(line, type=Entry)
        except msgspec.DecodeError:  # a line that was cut short, or the end
            return


def _line(entry: Entry) -> bytes:
    return msgspec.json.encode(entry) + b"\n"


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _link(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`, or a copy of it."""
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)
