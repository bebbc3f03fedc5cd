"""What came of a task. Its receipt is written last: a task is done exactly when that says so and fits the files."""

import errno
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from course.batch.tasks import Task
from transferkit.disk import atomic
from transferkit.errors import StoreError, TransferkitError

RECEIPT, NOTEBOOK, PAGE, THUMBNAIL, PULSE = (
    "receipt.json",
    "notebook.ipynb",
    "notebook.html",
    "figure.webp",
    "pulse.json",
)
Outcome = Literal["done", "failed", "timeout", "died"]


@dataclass(frozen=True)
class Failure:
    """What went wrong, in one sentence, and where: the number of the cell (from 1, all kinds counted), its source."""

    error: str
    cell: int | None = None
    source: str = ""
    traceback: str = ""


@dataclass(frozen=True)
class Usage:
    """What it took: seconds in all, seconds per code cell by its number, and the kernel's memory at its peak."""

    seconds: float = 0.0
    cell_seconds: Mapping[str, float] = field(default_factory=dict)
    peak_megabytes: float = 0.0


@dataclass(frozen=True)
class Origin:
    """On what and when: the machine, its processor or GPU, versions of packages, when it began (UTC)."""

    host: str = ""
    device: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    started: str = ""


@dataclass(frozen=True)
class Receipt:
    """Notebook and parameters, outcome, cost and origin; `files` are SHA-256 by name, `alt` describes the figure."""

    notebook: str
    parameters: Mapping[str, Any]
    checksum: str
    code: str
    outcome: Outcome
    attempt: int = 1
    failure: Failure | None = None
    usage: Usage = Usage()
    origin: Origin = Origin()
    files: Mapping[str, str] = field(default_factory=dict)
    alt: str = ""


def failed(task: Task, failure: Failure, outcome: Outcome = "failed", attempt: int = 1) -> Receipt:
    """The receipt of a task of which nothing is known but why it did not end well."""
    return Receipt(task.notebook, task.parameters, task.checksum, task.code, outcome, attempt, failure)


def find(task: Task) -> Receipt | None:
    """The receipt of a task that is done and whose files are whole; None for any other."""
    try:
        receipt = msgspec.json.decode((task.folder / RECEIPT).read_bytes(), type=Receipt)
        if receipt.outcome != "done" or receipt.checksum != task.checksum or receipt.code != task.code:
            return None
        found = {name: checksum_of((task.folder / name).read_bytes()) for name in receipt.files}
    except (OSError, msgspec.DecodeError):
        return None
    return receipt if NOTEBOOK in found and found == receipt.files else None


def keep(task: Task, receipt: Receipt) -> Receipt:
    """Write the receipt; return it, or, when it cannot be written, one that says so: what is not kept is not done."""
    text = msgspec.json.format(msgspec.json.encode(receipt, order="deterministic"), indent=1)
    try:
        atomic.write_bytes(task.folder / RECEIPT, text + b"\n")
        (task.folder / PULSE).unlink(missing_ok=True)
    except (StoreError, OSError) as problem:
        return failed(task, receipt.failure or Failure(told(problem)), attempt=receipt.attempt)
    return receipt


def beat(task: Task, share: float) -> None:
    """Note for whoever watches which share of the cells is done (0..1); that it cannot be noted does not matter."""
    try:
        atomic.write_bytes(task.folder / PULSE, msgspec.json.encode(share))
    except StoreError:
        return


def pulse(task: Task) -> float:
    """Which share of its cells a running task has done (0..1); 0 when it has not begun."""
    try:
        return msgspec.json.decode((task.folder / PULSE).read_bytes(), type=float)
    except (OSError, msgspec.DecodeError):
        return 0.0


def told(problem: Exception) -> str:
    """An error in one line; where a file of the batch could not be written, with the remedy that fits a batch."""
    cause = problem.__cause__
    if not isinstance(problem, StoreError) or not isinstance(cause, OSError):
        text = str(problem).strip() or type(problem).__name__
        return text if isinstance(problem, TransferkitError) else f"{type(problem).__name__}: {text}"
    full = cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    remedy = "free some space" if full else "check the folder and its permissions"
    return f"{str(problem).partition(' (')[0]} ({cause.strerror or cause}): {remedy}, or choose another --out."


def checksum_of(content: bytes) -> str:
    """SHA-256 of a file's content, as receipts hold it."""
    return hashlib.sha256(content).hexdigest()
