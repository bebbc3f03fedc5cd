"""Who handed in what: a notebook per student in a folder, or a folder per student. Nothing there is passed over.

What is no notebook has a row too, with the reason; only files that systems and editors leave behind are merely listed.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from transferkit.errors import UsageError

DEEPEST = 3  # folders below a student's own, as in nbgrader's submitted/STUDENT/ASSIGNMENT/
MOST_FILES = 2000  # of one student that we look at
LITTER = ("__MACOSX", "Thumbs.db", "desktop.ini")
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")
_NOTEBOOK = re.compile(r"\.ipynb(\.json|\.txt)?$", re.IGNORECASE)  # browsers and mail programs add the second ending
_ENDINGS = re.compile(rf"(\.ipynb|\.json|\.txt|\.py|{'|'.join(map(re.escape, ARCHIVES))})+$", re.IGNORECASE)
_LISTED = 5  # names in one sentence


@dataclass(frozen=True)
class Submission:
    """What a student handed in; `path` is None if it cannot be a notebook, and `why` then says so.

    `note` is what a teacher should know of it; `name` is that of the file or folder as handed in. An empty folder is no
    submission: its `path` and `why` are both empty.
    """

    student: str
    path: Path | None
    why: str = ""
    note: str = ""
    name: str = ""


@dataclass(frozen=True)
class HandedIn:
    """All submissions in a folder, and the names of what was left aside there."""

    submissions: tuple[Submission, ...]
    aside: tuple[str, ...]


def find_submissions(folder: Path, lesson: str) -> HandedIn:
    """The submissions in `folder`, by student: NAME.ipynb, or NAME/ with notebooks in it or up to three folders below.

    Of several notebooks in a student's folder, those count that have the lesson's number in their names, or else in the
    names of their folders, or else all. Each that counts gets its own row, and its note says that there are several.
    Links are not followed. Raises UsageError when `folder` is missing or empty.
    """
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder {printable(str(folder))}: give the folder that holds the submitted notebooks."
        )
    items = sorted(folder.iterdir())
    aside = [item for item in items if item.name.startswith(".") or item.name in LITTER]
    found: list[Submission] = []
    for item in items:
        if item in aside:
            continue
        is_folder = item.is_dir() and not item.is_symlink()
        found += _of_folder(item, lesson) if is_folder else [_of_file(item)]
    if not found:
        raise UsageError(
            f"no notebook lies in {printable(str(folder))}: give the folder that holds the submitted notebooks."
        )
    return HandedIn(tuple(_numbered(_told_apart(found))), tuple(printable(item.name) for item in aside))


def printable(text: str) -> str:
    """The text with invisible characters, such as control characters, replaced by their codes."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)


def _of_file(path: Path) -> Submission:
    student, name, why = printable(_ENDINGS.sub("", path.name) or path.name), printable(path.name), ""
    if path.is_symlink():
        why = "it is a link."
    elif path.suffix.lower() in ARCHIVES:
        why = f"{name} is an archive: unpack it into a folder {student}/."
    elif path.suffix.lower() == ".py":
        why = f"{name} is a Python file: ask for the notebook (.ipynb)."
    return Submission(student, None if why else path, why, name=name)


@dataclass
class _Contents:
    """What a student's folder holds: notebooks, all else by a name or a reason, and how many files were seen."""

    notebooks: list[Path] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    seen: int = 0


def _of_folder(folder: Path, lesson: str) -> list[Submission]:
    contents, student = _contents(folder), printable(folder.name)
    if not contents.notebooks:
        held = f"the folder holds no notebook, but {_listed(contents.others)}." if contents.others else ""
        return [Submission(student, None, held, name=student)]
    chosen = _of_lesson(contents.notebooks, folder, lesson)
    left = [_name(path, folder) for path in contents.notebooks if path not in chosen]
    note = f"not looked at: {_listed(left)}." if left else ""
    return [Submission(student, path, note=note, name=f"{student}/{_name(path, folder)}") for path in chosen]


def _of_lesson(notebooks: Sequence[Path], folder: Path, lesson: str) -> list[Path]:
    number = re.compile(rf"(^|\D)0*{int(lesson)}(\D|$)")
    named = [path for path in notebooks if number.search(_NOTEBOOK.sub("", path.name))]
    placed = [path for path in notebooks if number.search(str(path.parent.relative_to(folder)))]
    return named or placed or list(notebooks)


def _contents(folder: Path) -> _Contents:
    found = _Contents()
    errors: list[OSError] = []
    for where, folders, files in os.walk(folder, onerror=errors.append, followlinks=False):
        kept = sorted(name for name in folders if not name.startswith(".") and name not in LITTER)
        links = [name for name in kept if Path(where, name).is_symlink()]
        found.others += [f"{_name(Path(where, name), folder)}, a link" for name in links]
        folders[:] = [name for name in kept if name not in links]
        if len(Path(where).relative_to(folder).parts) >= DEEPEST:
            found.others += [f"{_name(Path(where, name), folder)}/, which lies too deep" for name in folders]
            folders[:] = []
        _add_files(found, folder, [Path(where, name) for name in sorted(files)])
        if found.seen > MOST_FILES:
            found.others.insert(0, f"more than {MOST_FILES} files")
            break
    found.others += [f"what cannot be opened ({problem.strerror})" for problem in errors]
    found.notebooks.sort()
    return found


def _add_files(found: _Contents, folder: Path, files: Sequence[Path]) -> None:
    for path in files:
        found.seen += 1
        if found.seen > MOST_FILES or path.name.startswith(".") or path.name in LITTER:
            continue
        if _NOTEBOOK.search(path.name):
            found.notebooks.append(path)
        else:
            found.others.append(_name(path, folder))


def _told_apart(found: Sequence[Submission]) -> Iterator[Submission]:
    """The submissions; those of one student under the names of their files, with a note that there are several."""
    counts = Counter(submission.student.casefold() for submission in found)
    for submission in found:
        if (several := counts[submission.student.casefold()]) == 1:
            yield submission
        else:
            note = f"one of {several} submissions of {submission.student}: decide which counts. {submission.note}"
            yield replace(submission, student=submission.name, note=note.strip())


def _numbered(found: Iterable[Submission]) -> Iterator[Submission]:
    taken: Counter[str] = Counter()
    for submission in found:
        taken[submission.student] += 1
        number = taken[submission.student]
        yield replace(submission, student=f"{submission.student} ({number})") if number > 1 else submission


def _name(path: Path, folder: Path) -> str:
    return printable(str(path.relative_to(folder)))


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {rest} more" if rest > 0 else "")
