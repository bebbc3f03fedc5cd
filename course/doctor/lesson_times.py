"""How long lessons took when a batch ran them, for the doctor to compare with its prediction.

A module of its own because a batch needs it and must not load torch for it.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from transferkit.disk import atomic

FOLDER = "doctor"  # in the work folder


@dataclass(frozen=True)
class LessonTime:
    """One execution of a lesson: when it began (UTC), how many seconds it took, and at which preset."""

    lesson: str
    preset: str
    started: str
    seconds: float


def keep_lesson(work: Path, time: LessonTime) -> None:
    """Note how long a lesson took, replacing an older note. Raises StoreError when it cannot be written."""
    atomic.write_bytes(work / FOLDER / f"{time.lesson}-{time.preset}.json", msgspec.json.encode(time))


def find_lesson(work: Path, lesson: str, preset: str) -> LessonTime | None:
    """The newest execution of a lesson at a preset; None when there is none."""
    try:
        return msgspec.json.decode((work / FOLDER / f"{lesson}-{preset}.json").read_bytes(), type=LessonTime)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
