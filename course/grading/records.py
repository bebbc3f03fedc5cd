"""The grades of each submission, kept so that it is graded once; and the seed, so that all get the same cases."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec

from course.grading.grade import UNGRADED, Grade, Setup
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

    def find(self, student: str, content: bytes) -> tuple[Grade, ...] | None:
        """The grades of this very notebook under this very setup; None if there are none yet."""
        try:
            return msgspec.json.decode(self._path(student, content).read_bytes(), type=tuple[Grade, ...])
        except (OSError, msgspec.MsgspecError):
            return None

    def keep(self, content: bytes, grades: tuple[Grade, ...]) -> None:
        """Keep the grades, unless some exercise could not be graded. Raises StoreError when they cannot be written."""
        if not any(grade.state in UNGRADED for grade in grades):
            text = msgspec.json.format(msgspec.json.encode(grades), indent=1)
            atomic.write_bytes(self._path(grades[0].student, content), text + b"\n")

    def _path(self, student: str, content: bytes) -> Path:
        setup = self.setup
        names = [exercise.name for exercise in setup.exercises]
        identity = [student, names, setup.seed, setup.limits, setup.enclosed, self.code]
        digest = hashlib.sha256(msgspec.json.encode(identity) + content).hexdigest()[:16]
        return self.out / RECORDS / f"{re.sub(r'[^A-Za-z0-9._-]+', '_', student)[:NAME_LENGTH]}-{digest}.json"


def keep_seed(out: Path, chosen: int | None) -> int:
    """The secret seed of the cases: `chosen`, or the one kept in `out`, or a new one; `out` keeps it for next time.

    Raises StoreError when it cannot be read or written.
    """
    path = out / SEED
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=int) if chosen is None and path.exists() else None
    except (OSError, msgspec.MsgspecError) as problem:
        raise StoreError(f"{path} cannot be read ({problem}): delete it to draw another seed.") from problem
    if kept is not None:
        return kept
    seed = secrets.randbits(32) if chosen is None else chosen
    atomic.write_bytes(path, msgspec.json.encode(seed))
    path.chmod(0o600)  # students may have accounts on this machine
    return seed
