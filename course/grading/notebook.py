"""The code cells of a submitted notebook. They are read with distrust: the file may be anything."""

import os
import stat
from pathlib import Path

import msgspec

from transferkit.errors import DataError

LARGEST_FILE = 32 * 2**20  # bytes, with the pictures in its outputs
LARGEST_CELL = 200_000  # characters


class Metadata(msgspec.Struct):
    """The part of a cell's metadata that matters here."""

    exercise: msgspec.Raw = msgspec.Raw(b"null")


class Cell(msgspec.Struct):
    """The part of a cell that matters here; its outputs are not even decoded."""

    cell_type: str
    source: str | list[str] = ""
    metadata: Metadata = msgspec.field(default_factory=Metadata)

    @property
    def code(self) -> str:
        """The source as one text."""
        return self.source if isinstance(self.source, str) else "".join(self.source)

    @property
    def exercise(self) -> str:
        """The exercise that its metadata name, if they do."""
        try:
            return msgspec.json.decode(self.metadata.exercise, type=str)
        except msgspec.MsgspecError:
            return ""


class Notebook(msgspec.Struct):
    """A notebook of format 4."""

    cells: list[Cell]


def read_bytes(path: Path) -> bytes:
    """The content of a submitted file. Raises DataError for a link, for anything but a file, and for a large one."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise DataError("it is not a file.")
            content = file.read(LARGEST_FILE + 1) if found.st_size <= LARGEST_FILE else b""
    except (OSError, ValueError) as problem:
        link = path.is_symlink()
        why = problem.strerror if isinstance(problem, OSError) else problem
        raise DataError("it is a link." if link else f"it cannot be opened: {why}.") from problem
    if found.st_size > LARGEST_FILE or len(content) > LARGEST_FILE:
        raise DataError(f"it is larger than {LARGEST_FILE // 2**20} MB: clear its outputs.")
    return content


def read_code(content: bytes) -> tuple[list[tuple[str, str]], int]:
    """The code cells, as pairs of the exercise that the metadata name and the code; and how many were too large.

    Raises DataError when `content` is not a notebook.
    """
    if not content.strip():
        raise DataError("it is empty.")
    try:
        cells = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"), type=Notebook).cells
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise DataError(f"it is not a notebook of format 4: {problem}.") from problem
    codes = [cell for cell in cells if cell.cell_type == "code"]
    kept = [(cell.exercise, cell.code) for cell in codes if len(cell.code) <= LARGEST_CELL]
    return kept, len(codes) - len(kept)
