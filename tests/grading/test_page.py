"""The page about a class: nothing that students wrote runs there, and what many share comes first."""

import csv
import io
import re
from pathlib import Path

import pytest

from course.exercises import exercises
from course.grading.page import COLUMNS, CSV, HTML, STUCK, write_grades
from course.grading.stuck import where_stuck
from tests.grading.conftest import grade

NASTY = '<script>alert("x")</script>'
CLASS = [
    grade("ada"),
    grade("ben", "wrong", case="n=1", seen="all", misconception="all copied", thought="the layers above n are new."),
    grade(
        "cy", "wrong", case="n=2", seen="all, too", misconception="all copied", thought="the layers above n are new."
    ),
    grade("dee", "error", seen=f"NameError: {NASTY}", note=f"two of {NASTY}", source=f"x = '{NASTY}'\n"),
    grade("=1+1", "unreadable", seen="it is empty."),
    grade(NASTY, "not graded", seen="the sandbox did not start."),
]


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_grades([(one,) for one in CLASS], exercises("04")[:1], tmp_path)
    return tmp_path


def test_a_row_per_student_and_exercise_without_formulas(folder: Path) -> None:
    rows = table(folder / CSV)
    assert tuple(rows[0]) == COLUMNS
    assert {row["student"]: row["points"] for row in rows} == {
        "ada": "3", "ben": "0", "cy": "0", "dee": "0", "'=1+1": "0", NASTY: "0"
    }  # fmt: skip


def test_where_the_class_is_stuck_is_grouped_by_the_likely_thought(folder: Path) -> None:
    first, *others = where_stuck(CLASS)
    assert (first.kind, first.students, first.of) == ("all copied", 2, 6)
    assert {(group.state, group.kind) for group in others} == {("error", "NameError"), ("unreadable", "")}
    assert table(folder / STUCK)[0]["kind"] == "all copied"


def test_everybody_who_has_not_passed_is_in_exactly_one_group() -> None:
    assert sum(group.students for group in where_stuck(CLASS)) == len(CLASS) - 2  # one passed, one was not graded


def test_nothing_that_a_student_wrote_runs_on_the_page(folder: Path) -> None:
    text = (folder / HTML).read_text()
    assert NASTY not in text
    assert "&lt;script&gt;" in text
    assert text.count("<script") == text.count("<script nonce=") == 1
    assert "script-src 'nonce-" in text
    assert not re.search(r"(?:https?:)?//\w", text)
    assert "2 could not be graded" in text


def test_the_graded_source_and_the_note_are_on_the_page_and_the_note_in_the_table(folder: Path) -> None:
    text = (folder / HTML).read_text()
    assert "<pre>x = &#39;&lt;script&gt;" in text
    assert text.count("What was graded as chop of") == 1
    assert "two of &lt;script&gt;" in text
    assert [row["note"] for row in table(folder / CSV) if row["student"] == "dee"] == [f"two of {NASTY}"]
    assert "source" not in COLUMNS
