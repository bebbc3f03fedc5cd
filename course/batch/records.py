"""How a task ended. Its record is written last: a task is done if its record says so and fits the files."""

import errno
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from course.batch.tasks import Task
from transferkit.disk import atomic
from transferkit.errors import StoreError, TransferkitError

RECORD, NOTEBOOK, PAGE = "receipt.json", "notebook.ipynb", "notebook.html"
THUMBNAIL, PULSE = "figure.webp", "pulse.json"
FILES = (RECORD, NOTEBOOK, PAGE, THUMBNAIL, PULSE)  # in the order of their removal
TaskOutcome = Literal["done", "failed", "timeout", "died"]


@dataclass(frozen=True)
class CellFailure:
    """What went wrong, in one sentence, and in which cell: its number (from 1, all kinds counted) and its source."""

    error: str
    cell: int | None = None
    source: str = ""
    traceback: str = ""


@dataclass(frozen=True)
class Usage:
    """What a task took: seconds in all and of each code cell by its number, peak memory, and processor time."""

    seconds: float = 0.0
    cell_seconds: Mapping[str, float] = field(default_factory=dict)
    peak_megabytes: float = 0.0
    processor_seconds: float = 0.0


@dataclass(frozen=True)
class Provenance:
    """Where and when a task ran: the machine, its processor or GPU, package versions, and the start (UTC)."""

    host: str = ""
    device: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    started: str = ""


@dataclass(frozen=True)
class Record:
    """What is known of a task that has ended; `files` are SHA-256 by file name, `alt` describes the figure.

    `notes` are sentences about what a reader would not expect, such as another kernel.
    """

    notebook: str
    parameters: Mapping[str, Any]
    checksum: str
    code: str
    outcome: TaskOutcome
    attempt: int = 1
    failure: CellFailure | None = None
    usage: Usage = Usage()
    origin: Provenance = Provenance()
    files: Mapping[str, str] = field(default_factory=dict)
    alt: str = ""
    notes: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """The record as JSON; unlike msgspec's, it takes text that is not UTF-8, such as names of files."""
        return json.dumps(msgspec.to_builtins(self), sort_keys=True, indent=1).encode() + b"\n"

    @classmethod
    def decode(cls, text: bytes) -> "Record":
        """The record of such JSON. Raises ValueError when it is none."""
        return msgspec.convert(json.loads(text), cls)


def failed(task: Task, failure: CellFailure, outcome: TaskOutcome = "failed", attempt: int = 1) -> Record:
    """The record of a task that ended badly, when only the reason is known."""
    return Record(task.notebook, task.parameters, task.checksum, task.code, outcome, attempt, failure)


def find(task: Task) -> Record | None:
    """The record of a task that is done and whose files are intact; None for any other."""
    try:
        record = Record.decode((task.folder / RECORD).read_bytes())
        if record.outcome != "done" or record.checksum != task.checksum or record.code != task.code:
            return None
        found = {name: checksum_of((task.folder / name).read_bytes()) for name in record.files}
    except (OSError, ValueError):  # of msgspec, too
        return None
    return record if NOTEBOOK in found and found == record.files else None


def keep(task: Task, record: Record) -> Record:
    """Write the record and return it. If it cannot be written, return one that says so: the task is then not done."""
    try:
        atomic.write_bytes(task.folder / RECORD, record.encode())
        (task.folder / PULSE).unlink(missing_ok=True)
    except (StoreError, OSError) as problem:
        return failed(task, record.failure or CellFailure(describe(problem)), attempt=record.attempt)
    return record


def beat(task: Task, share: float) -> None:
    """Note which share of the cells is done (0..1), for the progress; it does not matter if this fails."""
    try:
        atomic.write_bytes(task.folder / PULSE, msgspec.json.encode(share))
    except StoreError:
        return


def pulse(task: Task) -> float:
    """The share of its cells that a running task has done (0..1); 0 before it begins."""
    try:
        return msgspec.json.decode((task.folder / PULSE).read_bytes(), type=float)
    except (OSError, msgspec.DecodeError):
        return 0.0


def describe(problem: Exception) -> str:
    """An error in one line; if a file of the batch could not be written, with a remedy that fits a batch."""
    cause = problem.__cause__
    if not isinstance(problem, StoreError) or not isinstance(cause, OSError):
        text = str(problem).strip() or type(problem).__name__
        return text if isinstance(problem, TransferkitError) else f"{type(problem).__name__}: {text}"
    full = cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    remedy = "free some space" if full else "check the folder and its permissions"
    return f"{str(problem).partition(' (')[0]} ({cause.strerror or cause}): {remedy}, or choose another --out."


def checksum_of(content: bytes) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
