"""`python -m transferkit grade`: what it does with its options."""

import argparse

import psutil
from rich.console import Console

from course.exercises import exercises
from course.grading.drive import Graded, grade_all
from course.grading.grade import UNGRADED, Setup
from course.grading.limits import Limits
from course.grading.page import HTML, write_grades
from course.grading.receipts import Receipts, keep_seed
from course.grading.sandbox import why_not_contained
from course.grading.submissions import find_submissions
from transferkit.disk.prepared import find_work_folder
from transferkit.errors import GradingError, UsageError
from transferkit.hardware import usable_cores
from transferkit.training.machine import installed_code

WARNING = (
    "--uncontained: submitted code runs with your rights. It can read and delete your files, use the network, read the "
    "other submissions and change these grades; only its time and memory are limited."
)


def grade(options: argparse.Namespace) -> None:
    """Grade a folder and write its page. Raises GradingError when some submission could not be graded."""
    if options.seconds <= 0 or min(_given(options.workers), _given(options.seed) + 1) < 1:
        raise UsageError("--seconds must be more than 0, --workers 1 or more, --seed 0 or more.")
    lesson = options.lesson.zfill(2)
    chosen = exercises(lesson)
    submissions = find_submissions(options.submissions, lesson)
    console = Console()
    _insist_on_a_sandbox(options.uncontained, console)
    out = options.out or find_work_folder() / "grades" / lesson
    limits = Limits(seconds=options.seconds)
    setup = Setup(chosen, keep_seed(out, options.seed), limits, enclosed=not options.uncontained)
    workers = min(options.workers or _default_workers(limits), len(submissions))
    graded: list[Graded] = []
    try:
        for one in grade_all(submissions, Receipts(out, setup, installed_code()), workers):
            graded.append(one)
            console.print(_line(one, len(graded), len(submissions)), markup=False, highlight=False, soft_wrap=True)
    finally:
        if graded:
            write_grades([one.grades for one in graded], chosen, out)
    page = out / HTML
    console.print(f"wrote {page}", markup=False, highlight=False, soft_wrap=True)
    if left := sum(_is_ungraded(one) for one in graded):
        raise GradingError(f"{left} of {len(graded)} submissions could not be graded; {page} says why.")


def _insist_on_a_sandbox(uncontained: bool, console: Console) -> None:
    if uncontained:
        console.print(WARNING, style="bold red", highlight=False, soft_wrap=True)
    elif why := why_not_contained():
        raise UsageError(
            f"submitted code would not be contained here: {why} Install bubblewrap 0.8 or newer (Linux), or give "
            "--uncontained to run it with your own rights: it could then read and delete your files, use the network, "
            "and change these grades."
        )


def _default_workers(limits: Limits) -> int:
    return max(1, min(usable_cores(), psutil.virtual_memory().available // (2 * limits.memory)))


def _line(one: Graded, count: int, of: int) -> str:
    points, total = sum(grade.points for grade in one.grades), sum(grade.of for grade in one.grades)
    states = ", ".join(f"{grade.exercise} {grade.state}" for grade in one.grades)
    return f"[{count}/{of}] {points:2} of {total}  {one.submission.student}: {states}{' (before)' * one.before}"


def _is_ungraded(one: Graded) -> bool:
    return any(grade.state in UNGRADED for grade in one.grades)


def _given(value: int | None) -> int:
    return 1 if value is None else value
