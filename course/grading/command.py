"""`python -m transferkit grade`: its options and what it does. Importing this module is quick, for `--help`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from course.grading.drive import Graded
    from course.grading.sandbox import SandboxLimits

DEFAULT_SECONDS = 20.0
WARNING = (
    "--uncontained: submitted code runs with your rights. It can read and delete your files, use the network, read the "
    "other submissions and change these grades; only its time and memory are limited."
)


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of `grade`."""
    command.add_argument(
        "submissions", type=Path, metavar="SUBMISSIONS", help="folder of notebooks, or of one folder per student"
    )
    command.add_argument("--lesson", required=True, metavar="NN", help="the lesson to grade, as in 04")
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="folder to write (default: grades/NN in the work folder)"
    )
    command.add_argument("--workers", type=int, metavar="N", help="notebooks at once (default: one per CPU core)")
    command.add_argument(
        "--seed", type=int, metavar="N", help="seed of the random cases (default: drawn once, and kept in DIR)"
    )
    command.add_argument(
        "--seconds", type=float, default=DEFAULT_SECONDS, metavar="N",
        help=f"that one answer may take for all its cases (default: {DEFAULT_SECONDS:g})",
    )  # fmt: skip
    command.add_argument(
        "--uncontained", action="store_true", help="run submitted code without a sandbox, with this user's rights"
    )
    command.add_argument("--debug", action="store_true", help="show the traceback of an error")


def grade(options: argparse.Namespace) -> None:
    """Grade a folder and write its page. Raises GradingError when some submission could not be graded."""
    from rich.console import Console

    from course.exercises import exercises
    from course.grading.drive import grade_all
    from course.grading.grade import Setup
    from course.grading.page import HTML, write_grades
    from course.grading.records import GradeRecords, keep_seed
    from course.grading.sandbox import SandboxLimits
    from course.grading.submissions import find_submissions
    from transferkit.disk.prepared import find_work_folder
    from transferkit.errors import GradingError, UsageError
    from transferkit.hardware import installed_code

    no_workers = options.workers is not None and options.workers < 1
    if options.seconds <= 0 or no_workers or (options.seed or 0) < 0:
        raise UsageError("--seconds must be more than 0, --workers 1 or more, --seed 0 or more.")
    lesson = options.lesson.zfill(2)
    chosen = exercises(lesson)
    submissions = find_submissions(options.submissions, lesson)
    console = Console()
    _insist_on_a_sandbox(options.uncontained, console)
    out = options.out or find_work_folder() / "grades" / lesson
    limits = SandboxLimits(seconds=options.seconds)
    setup = Setup(chosen, keep_seed(out, options.seed), limits, enclosed=not options.uncontained)
    workers = min(options.workers or _default_workers(limits), len(submissions))
    graded: list[Graded] = []
    try:
        for one in grade_all(submissions, GradeRecords(out, setup, installed_code()), workers):
            graded.append(one)
            console.print(_line(one, len(graded), len(submissions)), markup=False, highlight=False, soft_wrap=True)
    finally:
        if graded:
            write_grades([one.grades for one in graded], chosen, out)
    page = out / HTML
    console.print(f"wrote {page}", markup=False, highlight=False, soft_wrap=True)
    if left := sum(one.is_ungraded for one in graded):
        raise GradingError(f"{left} of {len(graded)} submissions could not be graded; {page} says why.")


def _insist_on_a_sandbox(uncontained: bool, console: "Console") -> None:
    from course.grading.sandbox import why_not_contained
    from transferkit.errors import UsageError

    if uncontained:
        console.print(WARNING, style="bold red", highlight=False, soft_wrap=True)
    elif why := why_not_contained():
        raise UsageError(
            f"submitted code would not be contained here: {why} Install bubblewrap 0.8 or newer (Linux), or give "
            "--uncontained to run it with your own rights: it could then read and delete your files, use the network, "
            "and change these grades."
        )


def _default_workers(limits: "SandboxLimits") -> int:
    import psutil

    from transferkit.hardware import usable_cores

    return max(1, min(usable_cores(), psutil.virtual_memory().available // (2 * limits.memory)))


def _line(one: "Graded", count: int, of: int) -> str:
    points, total = sum(grade.points for grade in one.grades), sum(grade.of for grade in one.grades)
    states = ", ".join(f"{grade.exercise} {grade.state}" for grade in one.grades)
    return f"[{count}/{of}] {points:2} of {total}  {one.submission.student}: {states}{' (before)' * one.before}"
