"""Who handed in what: a notebook per student in a folder, or a folder per student."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from transferkit.errors import UsageError

DEEPEST = 3  # folders below a student's own, as in nbgrader's submitted/STUDENT/ASSIGNMENT/
MOST_FILES = 2000  # of one student that we look at


@dataclass(frozen=True)
class Submission:
    """A student's notebook of one lesson; `path` is None when the student's folder holds none."""

    student: str
    path: Path | None


def find_submissions(folder: Path, lesson: str) -> tuple[Submission, ...]:
    """The submissions in `folder`, by student: NAME.ipynb, or NAME/ with notebooks in it or up to three folders below.

    Of several notebooks of one student, those count that have the lesson's number in their names, or else in the names
    of their folders, or else all; each gets its own row. Links are not followed. Raises UsageError when `folder` is
    missing or empty.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}: give the folder that holds the submitted notebooks.")
    found: list[Submission] = []
    for item in sorted(folder.iterdir()):
        if item.name.startswith("."):
            continue
        if item.is_dir() and not item.is_symlink():
            found += _of_student(item, lesson)
        elif item.suffix == ".ipynb":
            found.append(Submission(printable(item.stem), item))
    if not found:
        raise UsageError(f"no notebook lies in {folder}: give the folder that holds the submitted notebooks.")
    return _with_distinct_names(found, folder)


def printable(text: str) -> str:
    """The text with invisible characters, such as control characters, replaced by their codes."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)


def _of_student(folder: Path, lesson: str) -> list[Submission]:
    notebooks = sorted(_notebooks(folder))
    number = re.compile(rf"(^|\D)0*{int(lesson)}(\D|$)")
    named = [path for path in notebooks if number.search(path.stem)]
    placed = [path for path in notebooks if number.search(str(path.parent.relative_to(folder)))]
    chosen = named or placed or notebooks
    student = printable(folder.name)
    if len(chosen) < 2:
        return [Submission(student, chosen[0] if chosen else None)]
    return [Submission(f"{student}/{printable(str(path.relative_to(folder)))}", path) for path in chosen]


def _notebooks(folder: Path) -> Iterator[Path]:
    seen = 0
    for where, folders, files in os.walk(folder, followlinks=False):
        depth = len(Path(where).relative_to(folder).parts)
        folders[:] = [] if depth >= DEEPEST else sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            seen += 1
            if name.endswith(".ipynb") and not name.startswith(".") and seen <= MOST_FILES:
                yield Path(where, name)
        if seen > MOST_FILES:
            return


def _with_distinct_names(found: Iterable[Submission], folder: Path) -> tuple[Submission, ...]:
    counts = Counter(submission.student for submission in found)
    return tuple(
        submission
        if counts[submission.student] == 1 or submission.path is None
        else Submission(printable(str(submission.path.relative_to(folder))), submission.path)
        for submission in found
    )
