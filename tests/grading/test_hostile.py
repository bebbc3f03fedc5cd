"""Notebooks that attack the grader: each costs its own row, and gets no point that it has not earned."""

import csv
from pathlib import Path

import psutil
import pytest

from course.exercises import exercises
from course.exercises.kill_rate import as_csv
from course.grading.attacks import NAME
from course.grading.hostile import TABLE, HostileClass, grade_hostile, rows
from course.grading.page import CSV, HTML, write_grades
from course.grading.submissions import printable

EARNED = {"honest", "flood"}


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("sandbox")
def test_each_costs_its_own_row_and_earns_nothing(tmp_path: Path) -> None:
    outcome = grade_hostile(tmp_path, workers=2)
    assert as_csv(rows(outcome)) == TABLE.read_text(), "run python -m course.grading.hostile"
    only_right_answers_have_points(outcome)
    nothing_came_out_and_nothing_was_reached(outcome)
    their_page_runs_nothing(outcome, tmp_path / "page")
    assert not [child for child in psutil.Process().children(recursive=True) if "bwrap" in child.name()]


def only_right_answers_have_points(outcome: HostileClass) -> None:
    assert len(outcome.tried) >= 50
    earned = {name: sum(grade.points for grade in grades) for name, grades in outcome.grades.items()}
    assert {name for name, points in earned.items() if points} == EARNED
    states = {grade.state for grades in outcome.grades.values() for grade in grades}
    assert states >= {"timeout", "memory", "processes", "died", "unreadable"}
    assert "not graded" not in states, "nothing is the grader's fault"


def nothing_came_out_and_nothing_was_reached(outcome: HostileClass) -> None:
    reported = "".join(map(repr, outcome.grades.values()))
    assert outcome.secret not in reported
    assert "root:" not in reported
    assert outcome.elsewhere == ("ada.ipynb",)
    assert not outcome.called


def their_page_runs_nothing(outcome: HostileClass, folder: Path) -> None:
    write_grades(outcome.grades.values(), exercises("04"), folder)
    page, table = (folder / HTML).read_text(), (folder / CSV).read_text()
    assert "<img" not in page
    assert "<script>" not in page
    assert not any(letter in page + table for letter in "\x1b\u202e\r")
    cells = [cell for row in csv.reader(table.splitlines()) for cell in row]
    assert f"'{printable(NAME)}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
