"""The grades of each submission, kept so that it is graded once; and the seed, so that all get the same cases."""

import errno
import hashlib
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from course.grading.ask import Setup
from course.grading.grade import UNGRADED, Grade
from transferkit.disk import atomic
from transferkit.errors import StoreError

RECORDS, SEED = "receipts", "seed.json"
NAME_LENGTH = 60


@dataclass(frozen=True)
class GradeRecords:
    """The kept grades of one class in the folder `out`; `code` is the digest of the installed code."""

    out: Path
    setup: Setup
    code: str

    def find(self, student: str, notebook: str) -> tuple[Grade, ...] | None:
        """The grades of the notebook of this digest under this very setup; None if there are none yet."""
        try:
            return msgspec.json.decode(self._path(student, notebook).read_bytes(), type=tuple[Grade, ...])
        except (OSError, msgspec.MsgspecError):
            return None

    def keep(self, notebook: str, grades: tuple[Grade, ...]) -> None:
        """Keep the grades, unless some exercise could not be graded. Raises StoreError when they cannot be written."""
        if not any(grade.state in UNGRADED for grade in grades):
            text = msgspec.json.format(msgspec.json.encode(grades), indent=1)
            atomic.write_bytes(self._path(grades[0].student, notebook), text + b"\n")

    def _path(self, student: str, notebook: str) -> Path:
        setup = self.setup
        names = [exercise.name for exercise in setup.exercises]
        identity = [student, names, setup.seed, setup.limits, setup.enclosed, self.code, notebook]
        digest = hashlib.sha256(msgspec.json.encode(identity)).hexdigest()[:16]
        return self.out / RECORDS / f"{re.sub(r'[^A-Za-z0-9._-]+', '_', student)[:NAME_LENGTH]}-{digest}.json"


def keep_seed(out: Path, chosen: int | None) -> int:
    """The secret seed of the cases: `chosen`, or the one kept in `out`, or a new one; `out` keeps it for next time.

    Raises StoreError when it cannot be read or written.
    """
    kept = find_seed(out) if chosen is None else None
    if kept is not None:
        return kept
    seed = secrets.randbits(63) if chosen is None else chosen
    path = out / SEED
    atomic.write_bytes(path, msgspec.json.encode(seed))
    path.chmod(0o600)  # students may have accounts on this machine
    return seed


def find_seed(out: Path) -> int | None:
    """The seed that `out` keeps; None if it keeps none. Raises StoreError when it cannot be read."""
    path = out / SEED
    try:
        return msgspec.json.decode(path.read_bytes(), type=int) if path.exists() else None
    except (OSError, msgspec.MsgspecError) as problem:
        raise StoreError(f"{path} cannot be read ({problem}): delete it to draw another seed.") from problem


@contextmanager
def writing_out() -> Iterator[None]:
    """Turn an error while the folder of grades is written into one whose remedy is that of this command."""
    try:
        yield
    except StoreError as problem:
        cause = problem.__cause__
        if not isinstance(cause, OSError):
            raise
        full = cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        remedy = "free some space there" if full else "check the folder and its permissions"
        what = str(problem).partition(" (")[0]
        raise StoreError(f"{what} ({cause.strerror or cause}): {remedy}, or choose another --out.") from problem
