"""Notebooks that attack whoever grades them: each costs its own row, and gets no point that it has not earned."""

import csv
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from course.attacks import NAME
from course.hostile import TABLE, Outcome, grade_hostile, rows
from course.kill_rate import as_csv
from tests.grading.conftest import why
from transferkit.checks import get_exercise
from transferkit.grading.page import CSV, HTML, write_grades
from transferkit.grading.submissions import printable

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
EARNED = {"honest", "flood"}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """The hostile class, graded once; when it is over, nothing that it has started may be left."""
    if reason := why():
        pytest.skip(reason)
    yield grade_hostile(tmp_path_factory.mktemp("hostile"), workers=2)
    assert not [child for child in psutil.Process().children(recursive=True) if "bwrap" in child.name()]


def test_every_notebook_has_the_verdict_that_is_kept(outcome: Outcome) -> None:
    assert as_csv(rows(outcome)) == TABLE.read_text(), "run python -m course.hostile"
    assert len(outcome.tried) >= 40


def test_only_right_answers_have_points(outcome: Outcome) -> None:
    assert {name for name, grade in outcome.grades.items() if grade.points} == EARNED
    assert {row["notebook"] for row in csv.DictReader(TABLE.read_text().splitlines()) if row["points"] != "0"} == EARNED


def test_nothing_is_the_graders_fault(outcome: Outcome) -> None:
    assert {grade.state for grade in outcome.grades.values()} >= {
        "timeout",
        "memory",
        "processes",
        "died",
        "unreadable",
    }
    assert "not graded" not in {grade.state for grade in outcome.grades.values()}


def test_no_secret_came_out_and_nothing_was_written_or_called(outcome: Outcome) -> None:
    told = "".join(map(repr, outcome.grades.values()))
    assert outcome.secret not in told
    assert "root:" not in told
    assert outcome.elsewhere == ("ada.ipynb",)
    assert not outcome.called


def test_their_page_runs_nothing_and_their_table_computes_nothing(outcome: Outcome, tmp_path: Path) -> None:
    write_grades([(grade,) for grade in outcome.grades.values()], (get_exercise("chop"),), tmp_path)
    page, table = (tmp_path / HTML).read_text(), (tmp_path / CSV).read_text()
    assert "<img" not in page
    assert "<script>" not in page
    assert not any(letter in page + table for letter in "\x1b\u202e\r")
    cells = [cell for row in csv.reader(table.splitlines()) for cell in row]
    assert f"'{printable(NAME)}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
