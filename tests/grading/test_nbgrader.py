"""nbgrader reads the lessons: it makes an assignment of one, and gives the points that the checks give."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from course.exercises import exercises
from course.exercises.assignment import make_assignment
from course.exercises.solutions import solution_sources

pytest.importorskip("nbgrader", reason="no nbgrader: install the extra `test`")
pytestmark = pytest.mark.long
ROOT = Path(__file__).parents[2]
ASSIGNMENT = "lesson04"


def nbgrader(course: Path, *arguments: str) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # where alembic is, which it calls
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-W", "ignore", "-m", "nbgrader", *arguments]
    ended = subprocess.run(line, cwd=course, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def hand_in(course: Path, student: str, *, solved: bool) -> None:
    notebook = nbformat.read(course / "release" / ASSIGNMENT / "lesson.ipynb", as_version=4)
    for cell in notebook.cells:
        if solved and "exercise" in cell.metadata:
            cell.source = solution_sources()[cell.metadata["exercise"]]
    path = course / "submitted" / student / ASSIGNMENT / "lesson.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course whose assignment is the exercises of lesson 04, without what it trains."""
    (lesson,) = (ROOT / "notebooks").glob("04_*.ipynb")
    made = make_assignment(lesson, tmp_path / "source" / ASSIGNMENT)
    notebook = nbformat.read(made, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    nbformat.write(notebook, made.with_name("lesson.ipynb"))
    made.unlink()
    shutil.copy(ROOT / "course" / "grading" / "nbgrader_config.py", tmp_path)
    return tmp_path


def test_an_assignment_is_made_and_graded(course: Path) -> None:
    nbgrader(course, "generate_assignment", ASSIGNMENT)
    hand_in(course, "ada", solved=True)
    hand_in(course, "ben", solved=False)
    nbgrader(course, "autograde", ASSIGNMENT)
    nbgrader(course, "export")
    rows = {row["student_id"]: row for row in csv.DictReader((course / "grades.csv").read_text().splitlines())}
    total = sum(exercise.points for exercise in exercises("04"))
    assert {name: float(row["score"]) for name, row in rows.items()} == {"ada": total, "ben": 0}
    assert float(rows["ada"]["max_score"]) == total
