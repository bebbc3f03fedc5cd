"""The pages for a teacher: grades.html (one file, no network), grades.csv and stuck.csv."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from course.exercises import Exercise
from course.grading.grade import UNGRADED, Grade
from course.grading.stuck import Stuck, where_stuck
from course.pages import render, safe_csv
from transferkit.disk import atomic

HTML, CSV, STUCK = "grades.html", "grades.csv", "stuck.csv"
COLUMNS = ("student", "exercise", "points", "of", "state", "case", "seen", "misconception", "note")


@dataclass(frozen=True)
class StudentRow:
    """One student on the page."""

    student: str
    grades: tuple[Grade, ...]

    @property
    def points(self) -> int:
        """The points of all exercises together."""
        return sum(grade.points for grade in self.grades)


def write_grades(students: Iterable[tuple[Grade, ...]], exercises: Sequence[Exercise], out: Path) -> Path:
    """Write the three files into `out` for these students' grades; return the page's path.

    Raises StoreError when a file cannot be written.
    """
    rows = sorted((StudentRow(grades[0].student, grades) for grades in students), key=lambda row: row.student)
    grades = [grade for row in rows for grade in row.grades]
    stuck = where_stuck(grades)
    atomic.write_bytes(out / CSV, safe_csv(COLUMNS, ([getattr(grade, name) for name in COLUMNS] for grade in grades)))
    atomic.write_bytes(out / STUCK, safe_csv([field.name for field in fields(Stuck)], map(astuple, stuck)))
    atomic.write_bytes(out / HTML, _html(rows, stuck, exercises))
    return out / HTML


def _html(rows: Sequence[StudentRow], stuck: Sequence[Stuck], exercises: Sequence[Exercise]) -> bytes:
    passed = Counter(grade.exercise for row in rows for grade in row.grades if grade.state == "passed")
    return render(
        "course.grading",
        lesson=exercises[0].lesson,
        rows=rows,
        stuck=stuck,
        exercises=[(exercise, passed[exercise.name]) for exercise in exercises],
        total=sum(exercise.points for exercise in exercises),
        ungraded=[row.student for row in rows if any(grade.state in UNGRADED for grade in row.grades)],
    )
