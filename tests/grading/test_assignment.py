"""An assignment is a lesson with a locked cell of points below each exercise, and nothing else changed."""

from pathlib import Path

import nbformat
import pytest

from course.exercises import exercises
from course.exercises.assignment import make_assignment
from course.exercises.solutions import lesson_notebooks
from transferkit.errors import DataError, UsageError

LESSONS = [path for path in lesson_notebooks() if path.stem[:2] in {one.lesson for one in exercises()}]


def is_graded(cell: nbformat.NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_each_exercise_gets_its_points_and_the_lesson_stays_as_it_is(lesson: Path, tmp_path: Path) -> None:
    before = lesson.read_bytes()
    made = nbformat.read(make_assignment(lesson, tmp_path / "source"), as_version=4)
    own = [cell for cell in nbformat.read(lesson, as_version=4).cells if not is_graded(cell)]
    graded = [cell for cell in made.cells if is_graded(cell)]
    assert [cell.source for cell in made.cells if cell not in graded] == [cell.source for cell in own]
    assert {cell.metadata["nbgrader"]["grade_id"]: cell.metadata["nbgrader"]["points"] for cell in graded} == {
        f"{one.name}-points": one.points for one in exercises(lesson.stem[:2])
    }
    for cell in graded:
        asked = made.cells[made.cells.index(cell) - 1].metadata["exercise"]
        assert cell.source.endswith(f'points("{asked}", {asked})')
        assert cell.metadata["nbgrader"]["locked"]
    assert [cell.id for cell in made.cells] == [f"cell-{number:02}" for number in range(len(made.cells))]
    assert lesson.read_bytes() == before


def test_what_is_no_lesson_with_exercises_is_refused_and_nothing_written(tmp_path: Path) -> None:
    (tmp_path / "broken.ipynb").write_text("{")
    for name, words in (("broken.ipynb", "cannot be read"), ("none.ipynb", "cannot be read")):
        with pytest.raises(DataError, match=words):
            make_assignment(tmp_path / name, tmp_path / "source")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1")])
    nbformat.write(notebook, tmp_path / "plain.ipynb")
    with pytest.raises(DataError, match="has no exercises"):
        make_assignment(tmp_path / "plain.ipynb", tmp_path / "source")
    notebook.cells[0].metadata["exercise"] = "chopp"
    nbformat.write(notebook, tmp_path / "odd.ipynb")
    with pytest.raises(UsageError, match="no exercise 'chopp'"):
        make_assignment(tmp_path / "odd.ipynb", tmp_path / "source")
    assert not (tmp_path / "source").exists()
