"""How long lessons took when a batch ran them, for the doctor to compare with its prediction.

A module of its own because a batch needs it and must not load torch for it.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from transferkit.disk import atomic
from transferkit.errors import StoreError

FOLDER = "doctor"  # in the work folder
LONGEST = 1e7  # seconds, about four months


@dataclass(frozen=True)
class LessonTime:
    """One execution of a lesson: when it began (UTC), how many seconds it took, and at which preset."""

    lesson: str
    preset: str
    started: str
    seconds: float


def keep_lesson(work: Path, time: LessonTime) -> None:
    """Note how long a lesson took, replacing an older note; where it cannot be written, nobody needs it."""
    with suppress(StoreError):
        atomic.write_bytes(work / FOLDER / f"{time.lesson}-{time.preset}.json", msgspec.json.encode(time))


def find_lesson(work: Path, lesson: str, preset: str) -> LessonTime | None:
    """The newest execution of a lesson at a preset; None when there is none, or its note cannot be true."""
    with suppress(OSError, msgspec.DecodeError, ValueError):
        found = msgspec.json.decode((work / FOLDER / f"{lesson}-{preset}.json").read_bytes(), type=LessonTime)
        if 0 < found.seconds < LONGEST and datetime.fromisoformat(found.started).tzinfo:
            return found
    return None
