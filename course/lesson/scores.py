"""The checks of exercises as lessons call them: a learner's points are kept, for the page over all lessons."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from course import exercises
from course.exercises import Verdict, get_exercise
from course.lesson.showing import somebody_is_there
from transferkit.disk import atomic
from transferkit.disk.prepared import find_work_folder
from transferkit.errors import StoreError

FOLDER = "points"  # in the work folder


@dataclass(frozen=True)
class Points:
    """What a learner has in one exercise: the best so far, and when (UTC) that was reached."""

    lesson: str
    exercise: str
    score: int
    of: int
    when: str


def check(name: str, answer: object, seed: int = 0) -> Verdict:
    """As `exercises.check`; where a person is at the front end, the points are kept in the work folder.

    Later answers that score less take nothing away. Raises UsageError if there is no such exercise.
    """
    verdict = exercises.check(name, answer, seed)
    if somebody_is_there() and verdict.state != "open":
        with suppress(StoreError):  # a folder that cannot be written must not stand in the way of an exercise
            keep_points(verdict, find_work_folder())
    return verdict


def points(name: str, answer: object, seed: int = 0) -> int:
    """As `exercises.points`, and kept as by `check`."""
    return check(name, answer, seed).score


def keep_points(verdict: Verdict, work: Path) -> None:
    """Write down the points of a verdict unless as many are there. Raises StoreError if that cannot be written."""
    path = work / FOLDER / f"{verdict.exercise}.json"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    lesson = get_exercise(verdict.exercise).lesson
    new = Points(lesson, verdict.exercise, verdict.score, verdict.points, now)
    kept = _read(path)
    if kept is None or kept.score < new.score:
        atomic.write_bytes(path, msgspec.json.encode(new))


def all_points(work: Path) -> tuple[Points, ...]:
    """One for each exercise, in the order of lessons; those that were not tried have 0 points and no time."""
    tried = {path.stem: found for path in (work / FOLDER).glob("*.json") if (found := _read(path))}
    return tuple(
        tried.get(one.name) or Points(one.lesson, one.name, 0, one.points, "") for one in exercises.exercises()
    )


def _read(path: Path) -> Points | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Points)
    except (OSError, msgspec.DecodeError):
        return None
