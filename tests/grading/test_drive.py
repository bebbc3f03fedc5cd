"""A class over workers: what a crowded machine may have done is tried again alone, and one row costs no other."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.asking.answers import Answer
from course.asking.limits import SandboxLimits
from course.exercises import Verdict, get_exercise
from course.grading import drive, grade
from course.grading.ask import Came, Ended, Setup
from course.grading.drive import Graded, grade_all, sort_out
from course.grading.hostile import notebook
from course.grading.judge import Judged
from course.grading.records import RECORDS, GradeRecords, find_seed, keep_seed
from course.grading.submissions import find_submissions

CHOP = get_exercise("chop")
ENDS: Sequence[Ended] = ("timeout", "died", "machine", "crowded", "not started", "memory", "output")


class Passing:
    """A judge in whose eyes everything is right."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def __enter__(self) -> "Passing":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    wait_until_ready = close = __exit__

    def ask(self, request: bytes, seconds: float) -> bytes:
        return msgspec.json.encode(Judged(Verdict("chop", "passed", 3, 5)))


class Asked:
    """What came out of notebooks: at first what `first` says, or an error, and whatever `then` says when alone."""

    def __init__(self, first: Ended | Exception, then: bytes | Ended) -> None:
        self.first, self.then, self.alone = first, then, list[str]()

    def __call__(self, setup: Setup, cells: Sequence[tuple[str, str]]) -> Came:
        name = cells[0][1]
        at_first = threading.current_thread() is not threading.main_thread()
        if not at_first:
            self.alone.append(name)
        came = (self.first if at_first else self.then) if name == "odd" else b"reply"
        if isinstance(came, Exception):
            raise came
        return Came({"chop": Answer(name)}, {"chop": came})


def graded(folder: Path, asked: Asked, students: Sequence[str]) -> list[Graded]:
    """The class in which `odd` has trouble."""
    (folder / "in").mkdir(exist_ok=True)
    for student in students:
        (folder / "in" / f"{student}.ipynb").write_bytes(notebook(student))
    records = GradeRecords(folder / "out", Setup((CHOP,), 3, SandboxLimits()), "code")
    with pytest.MonkeyPatch.context() as patch:
        for module in (drive, grade):
            patch.setattr(module, "ask_all", asked)
        patch.setattr(grade, "Session", Passing)
        done, todo = sort_out(find_submissions(folder / "in", "04").submissions, records)
        return [*done, *grade_all(todo, records, workers=3)]


@settings(max_examples=20)
@given(first=st.sampled_from(ENDS), then=st.sampled_from([b"reply", *ENDS]))
def test_what_a_crowded_machine_may_have_done_is_tried_once_more_alone(
    tmp_path_factory: pytest.TempPathFactory, first: Ended, then: bytes | Ended
) -> None:
    folder, asked = tmp_path_factory.mktemp("class"), Asked(first, then)
    rows = graded(folder, asked, ["ada", "odd", "zoe"])
    assert {row.submission.student for row in rows} == {"ada", "odd", "zoe"}
    states = {row.submission.student: row.grades[0].state for row in rows}
    assert states["ada"] == states["zoe"] == "passed"
    if first in ("memory", "output"):
        assert (states["odd"], asked.alone) == (first, [])
    else:
        assert rows[-1].submission.student == "odd", "alone means after all others"
        assert asked.alone == ["odd"]
        wanted = {b"reply": "passed", "machine": "not graded", "crowded": "not graded", "not started": "not graded"}
        assert states["odd"] == wanted.get(then, then)
    kept = {path.name.split("-")[0] for path in (folder / "out" / RECORDS).iterdir()}
    assert kept == {"ada", "zoe"} | ({"odd"} if states["odd"] != "not graded" else set())


def test_an_error_of_the_grader_itself_costs_one_row(tmp_path: Path) -> None:
    rows = graded(tmp_path, Asked(MemoryError(), "not started"), ["ada", "odd", "zoe"])
    assert {row.submission.student: row.is_ungraded for row in rows} == {"ada": False, "odd": True, "zoe": False}


def test_every_entry_has_a_row_whatever_its_name_and_content(tmp_path: Path) -> None:
    names = [os.fsdecode(b"\xff.ipynb"), "-rf.ipynb", "<b>.ipynb", "ада 王\u202e.ipynb", "a.ipynb.json"]
    (tmp_path / "in" / "f.ipynb").mkdir(parents=True)
    for name in names:
        (tmp_path / "in" / name).write_bytes(notebook("x"))
    for name in ("b.zip", "c.txt", "d.ipynb", "e.PDF"):
        (tmp_path / "in" / name).write_bytes(b"{}")
    rows = graded(tmp_path, Asked("timeout", b"reply"), ["zoe"])
    assert len(rows) == len(names) + 6
    states = {row.submission.student: row.grades[0].state for row in rows}
    assert [states[name] for name in ("b", "c", "d", "e.PDF", "f.ipynb")] == ["unreadable"] * 4 + ["missing"]
    assert sum(state == "passed" for state in states.values()) == len(names) + 1


def test_grades_are_kept_for_the_same_notebook_only(tmp_path: Path) -> None:
    assert not any(row.before for row in graded(tmp_path, Asked("timeout", b"reply"), ["ada"]))
    assert all(row.before for row in graded(tmp_path, Asked("timeout", b"reply"), ["ada"]))
    (tmp_path / "in" / "ada.ipynb").write_bytes(notebook("changed"))
    assert not any(row.before for row in graded(tmp_path, Asked("timeout", b"reply"), []))


def test_what_is_known_of_a_whole_submission_is_noted_with_its_first_exercise(tmp_path: Path) -> None:
    (tmp_path / "in" / "ada").mkdir(parents=True)
    (tmp_path / "in" / "ada" / "04.ipynb").write_bytes(notebook("x"))
    rows = graded(tmp_path, Asked("timeout", b"reply"), ["ada"])
    assert {row.grades[0].note for row in rows} == {"one of 2 submissions of ada: decide which counts."}


def test_a_seed_is_drawn_once(tmp_path: Path) -> None:
    assert find_seed(tmp_path / "out") is None
    seed = keep_seed(tmp_path / "out", None)
    assert find_seed(tmp_path / "out") == keep_seed(tmp_path / "out", None) == seed
    assert keep_seed(tmp_path / "out", 5) == find_seed(tmp_path / "out") == 5
