"""Grade notebooks that attack the grader: `python -m course.grading.hostile` writes course/results/hostile.csv.

The table has one row per notebook. Most notebooks hold an attack and an answer to `chop`, right or wrong, or answers
that would take a mark without the work; a file that is not a notebook is itself the attack. `state` is that of the
exercises which the notebook answers.
"""

import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from course.asking.limits import SandboxLimits
from course.exercises import exercises
from course.exercises.kill_rate import as_csv
from course.grading.ask import Setup
from course.grading.attacks import RIGHT, cells
from course.grading.drive import grade_all, sort_out
from course.grading.grade import Grade
from course.grading.marks import ATTACKS
from course.grading.records import GradeRecords
from course.grading.submissions import find_submissions, printable
from transferkit.disk import atomic

TABLE = Path(__file__).parents[1] / "results" / "hostile.csv"
SECONDS = 1.5


@dataclass(frozen=True)
class HostileClass:
    """The grades of a hostile class in lesson 04 by student, what each tried, and traces that attacks would leave.

    `secret` is the content of another student's notebook, outside the sandbox; `elsewhere` lists the files of its
    folder after the attacks; `called` says whether a server on this machine was reached.
    """

    grades: dict[str, tuple[Grade, ...]]
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
        setup = Setup(exercises("04"), secrets.randbits(32), SandboxLimits(seconds=SECONDS))
        records = GradeRecords(folder / "out", setup, "code")
        done, todo = sort_out(find_submissions(submitted, "04").submissions, records)
        graded = [*done, *grade_all(todo, records, workers)]
        called = _was_called(server)
    grades = {one.submission.student: one.grades for one in graded}
    return HostileClass(grades, tried, secret, called, tuple(sorted(os.listdir(elsewhere))))


def rows(hostile: HostileClass) -> list[dict[str, object]]:
    """The table, one row per notebook, the honest one included."""
    return [
        {
            "notebook": name,
            "tries": tries,
            "state": " ".join(sorted(_states(hostile.grades[name]))),
            "points": sum(grade.points for grade in hostile.grades[name]),
        }
        for name, tries in hostile.tried.items()
    ]


def _states(grades: Sequence[Grade]) -> set[str]:
    """The states of the exercises that a notebook answers, or of all if it answers none."""
    return {grade.state for grade in grades if grade.state != "missing"} or {grade.state for grade in grades}


def write_class(folder: Path, elsewhere: Path, port: int) -> dict[str, str]:
    """Write the hostile notebooks and files into `folder`; return what each tries, by student as the page shows it."""
    tried = {"honest": "nothing"}
    (folder / "honest.ipynb").write_bytes(notebook(RIGHT))
    for name, (purpose, source) in cells(elsewhere, port).items():
        (folder / f"{name}.ipynb").write_bytes(notebook(source))
        tried[printable(name)] = purpose
    for name, (purpose, answers) in ATTACKS.items():
        (folder / f"{name}.ipynb").write_bytes(notebook(**answers))
        tried[name] = purpose
    for name, (purpose, make) in _FILES.items():
        make(folder / f"{name}.ipynb")
        tried[name] = purpose
    return tried


def notebook(chop: str | None = None, **answers: str) -> bytes:
    """A notebook with a cell for each exercise that is given."""
    given = answers if chop is None else {"chop": chop, **answers}
    cells = [
        {"cell_type": "code", "source": source, "metadata": {"exercise": name}, "outputs": []}
        for name, source in given.items()
    ]
    return msgspec.json.encode({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


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
    "coder": ("has cells nested too deep to be parsed", lambda path: path.write_bytes(notebook("-" * 190_000 + "1"))),
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
