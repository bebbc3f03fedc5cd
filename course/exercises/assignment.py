"""An assignment for nbgrader, made from a lesson: below each exercise stands a locked cell that gives its points.

    python -m course.exercises.assignment notebooks/04_chop_and_transfer.ipynb source/lesson04

writes the notebook of that name into the folder. The lesson itself has no such cells, because `check` tells the points.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course.exercises.checking import get_exercise
from transferkit.disk import atomic
from transferkit.errors import DataError


def make_assignment(lesson: Path, folder: Path) -> Path:
    """Write the assignment of a lesson into a folder, and return where it is.

    Raises DataError if the lesson cannot be read or has no exercises, UsageError if it names an unknown exercise.
    """
    try:
        notebook = nbformat.read(lesson, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as problem:
        raise DataError(f"'{lesson}' cannot be read as a notebook: {problem}.") from problem
    if not any("exercise" in cell.metadata for cell in notebook.cells):
        raise DataError(f"'{lesson}' has no exercises: choose one of the lessons 01 to 08.")
    notebook.cells = [one for cell in notebook.cells if not _is_graded(cell) for one in _with_points(cell)]
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02}"
    path = folder / lesson.name
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_bytes(path, f"{nbformat.writes(notebook)}\n".encode())
    return path


def _is_graded(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))


def _with_points(cell: NotebookNode) -> list[NotebookNode]:
    """The cell, and below that of an exercise the one that gives its points."""
    if "exercise" not in cell.metadata:
        return [cell]
    exercise = get_exercise(cell.metadata["exercise"])
    source = f'from course import points\n\npoints("{exercise.name}", {exercise.name})'
    graded = {
        "grade": True, "grade_id": f"{exercise.name}-points", "locked": True, "points": exercise.points,
        "schema_version": 3, "solution": False, "task": False,
    }  # fmt: skip
    return [cell, nbformat.v4.new_code_cell(source, metadata={"nbgrader": graded})]


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the assignment that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m course.exercises.assignment", description=__doc__)
    parser.add_argument("lesson", type=Path, help="the lesson's notebook")
    parser.add_argument("folder", type=Path, help="the folder to write it into, as nbgrader's source/lesson04")
    given = parser.parse_args(arguments)
    sys.stdout.write(f"{make_assignment(given.lesson, given.folder)}\n")


if __name__ == "__main__":
    main()
