"""Grade notebooks that attack the grader: `python -m course.grading.hostile` writes course/results/hostile.csv.

The table has one row per notebook. Most notebooks hold an attack and an answer to `chop`, right or wrong; a file that
is not a notebook is itself the attack.
"""

import os
import secrets
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from course.exercises import get_exercise
from course.exercises.kill_rate import as_csv
from course.grading.attacks import RIGHT, cells
from course.grading.drive import grade_all
from course.grading.grade import Grade, Setup
from course.grading.records import GradeRecords
from course.grading.sandbox import SandboxLimits
from course.grading.submissions import find_submissions, printable
from transferkit.disk import atomic

TABLE = Path(__file__).parents[1] / "results" / "hostile.csv"
SECONDS = 8.0


@dataclass(frozen=True)
class HostileClass:
    """The grades of a hostile class by student, what each student tried, and traces that attacks would leave.

    `secret` is the content of another student's notebook, outside the sandbox; `elsewhere` lists the files of its
    folder after the attacks; `called` says whether a server on this machine was reached.
    """

    grades: dict[str, Grade]
    tried: dict[str, str]
    secret: str
    called: bool
    elsewhere: tuple[str, ...]


def grade_hostile(folder: Path, workers: int = 1) -> HostileClass:
    """Grade the hostile class, and an honest student, in the empty folder `folder`."""
    submitted, elsewhere, secret = folder / "submitted", folder / "elsewhere", secrets.token_hex(16)
    submitted.mkdir()
    elsewhere.mkdir()
    (elsewhere / "ada.ipynb").write_text(secret)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        tried = write_class(submitted, elsewhere, server.getsockname()[1])
        setup = Setup((get_exercise("chop"),), secrets.randbits(32), SandboxLimits(seconds=SECONDS))
        submissions = find_submissions(submitted, "04")
        graded = list(grade_all(submissions, GradeRecords(folder / "out", setup, "code"), workers))
        called = _was_called(server)
    grades = {one.submission.student: one.grades[0] for one in graded}
    return HostileClass(grades, tried, secret, called, tuple(sorted(os.listdir(elsewhere))))


def rows(hostile: HostileClass) -> list[dict[str, object]]:
    """The table, one row per notebook, the honest one included."""
    return [
        {"notebook": name, "tries": tries, "state": hostile.grades[name].state, "points": hostile.grades[name].points}
        for name, tries in hostile.tried.items()
    ]


def write_class(folder: Path, elsewhere: Path, port: int) -> dict[str, str]:
    """Write the hostile notebooks and files into `folder`; return what each tries, by student as the page shows it."""
    tried = {"honest": "nothing"}
    (folder / "honest.ipynb").write_bytes(notebook(RIGHT))
    for name, (purpose, source) in cells(elsewhere, port).items():
        (folder / f"{name}.ipynb").write_bytes(notebook(source))
        tried[printable(name)] = purpose
    for name, (purpose, make) in _FILES.items():
        make(folder / f"{name}.ipynb")
        tried[name] = purpose
    return tried


def notebook(source: str) -> bytes:
    """A notebook with one exercise cell."""
    cell = {"cell_type": "code", "source": source, "metadata": {"exercise": "chop"}, "outputs": []}
    return msgspec.json.encode({"cells": [cell], "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


def _write_sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 2**30)


_FILES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "broken": ("is no JSON", lambda path: path.write_bytes(notebook(RIGHT)[:-10])),
    "empty": ("is empty", lambda path: path.touch()),
    "huge": ("is a file of one gigabyte", _write_sparse),
    "nested": ("is JSON a million lists deep", lambda path: path.write_bytes(b'{"cells":' + b"[" * 10**6)),
    "bytes": ("is no text", lambda path: path.write_bytes(b"\xff\xfe" + os.urandom(1000))),
    "list": ("is JSON of another kind", lambda path: path.write_bytes(b'{"cells": [1, {"source": {}}]}')),
    "link": ("is a link to the list of users", lambda path: path.symlink_to("/etc/passwd")),
    "pipe": ("is a pipe that nobody writes to", os.mkfifo),
    "folder": ("is an empty folder", lambda path: path.with_suffix("").mkdir()),
}


def _was_called(server: socket.socket) -> bool:
    try:
        server.accept()
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        atomic.write_bytes(TABLE, as_csv(rows(grade_hostile(Path(place), workers=2))).encode())
