"""`python -m transferkit grade`: its options and what it does. Importing this module is quick, for `--help`."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from course.asking.limits import SandboxLimits
    from course.grading.drive import Graded, Work
    from course.grading.records import GradeRecords
    from course.grading.submissions import HandedIn

DEFAULT_SECONDS = 20.0
MOST_SECONDS = 86400  # a day
USUAL_SECONDS = 3.0  # that one submission takes one core
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
        help="of its own, computing or asleep, that one answer may take for all its cases "
        f"(default: {DEFAULT_SECONDS:g})",
    )  # fmt: skip
    command.add_argument(
        "--dry-run", action="store_true", help="say what would be graded and how long it would take, and stop"
    )
    command.add_argument(
        "--uncontained", action="store_true", help="run submitted code without a sandbox, with this user's rights"
    )
    command.add_argument("--debug", action="store_true", help="show the traceback of an error")


def grade(options: argparse.Namespace) -> None:
    """Grade a folder and write its page. Raises GradingError when some submission could not be graded."""
    from rich.console import Console

    from course.asking.limits import SandboxLimits
    from course.exercises import exercises
    from course.grading.ask import Setup
    from course.grading.drive import sort_out
    from course.grading.records import GradeRecords, find_seed, keep_seed, writing_out
    from course.grading.submissions import find_submissions
    from transferkit.disk.prepared import find_work_folder
    from transferkit.errors import UsageError
    from transferkit.hardware import installed_code

    no_workers = options.workers is not None and options.workers < 1
    if not 0 < options.seconds <= MOST_SECONDS or no_workers or (options.seed or 0) < 0:
        raise UsageError(
            f"--seconds must be more than 0 and at most {MOST_SECONDS}, --workers 1 or more, --seed 0 or more."
        )
    lesson = options.lesson.zfill(2)
    chosen = exercises(lesson)
    handed_in = find_submissions(options.submissions, lesson)
    console = Console()
    out = options.out or find_work_folder() / "grades" / lesson
    if not options.dry_run:
        _insist_on_a_sandbox(options.uncontained, console)
    with writing_out():
        seed = find_seed(out) if options.dry_run and options.seed is None else keep_seed(out, options.seed)
        limits = SandboxLimits(seconds=options.seconds)
        setup = Setup(chosen, seed or 0, limits, enclosed=not options.uncontained)
        records = GradeRecords(out, setup, installed_code())
        done, todo = sort_out(handed_in.submissions, records)
        workers = max(1, min(options.workers or _default_workers(limits), len(todo)))
        _say(console, _plan(lesson, handed_in, done, todo, workers))
        if options.dry_run:
            for one in done:
                _say(console, _line(one))
            for work in todo:
                _say(console, f"to grade: {work.submission.student}")
        else:
            _grade_and_write(done, todo, records, workers, console)


def _grade_and_write(
    done: "Sequence[Graded]", todo: "Sequence[Work]", records: "GradeRecords", workers: int, console: "Console"
) -> None:
    from course.errors import GradingError
    from course.grading.drive import grade_all
    from course.grading.page import HTML, write_grades

    graded: list[Graded] = []
    of = len(done) + len(todo)
    try:
        for several in (done, grade_all(todo, records, workers)):
            for one in several:
                graded.append(one)
                _say(console, f"[{len(graded)}/{of}] {_line(one)}")
    finally:
        if graded:
            write_grades([one.grades for one in graded], records.setup.exercises, records.out)
    page = records.out / HTML
    _say(console, f"wrote {page}")
    if left := sum(one.is_ungraded for one in graded):
        raise GradingError(f"{left} of {of} submissions could not be graded; {page} says why.")


def _plan(lesson: str, handed_in: "HandedIn", done: "Sequence[Graded]", todo: "Sequence[Work]", workers: int) -> str:
    """What is about to be done, in a line or two."""
    before, bad = sum(one.before for one in done), sum(one.is_ungraded for one in done)
    minutes = max(1, round(USUAL_SECONDS * len(todo) / workers / 60))
    parts = [
        f"lesson {lesson}, submissions: {len(handed_in.submissions)}",
        f"to grade: {len(todo)}" + f" ({workers} at once, about {minutes} min)" * bool(todo),
        f"graded before: {before}" if before else "",
        f"cannot be graded: {bad}" if bad else "",
    ]
    aside = f"\nnot looked at: {', '.join(handed_in.aside)}" if handed_in.aside else ""
    return "; ".join(filter(None, parts)) + aside


def _say(console: "Console", text: str) -> None:
    console.print(text.encode(errors="backslashreplace").decode(), markup=False, highlight=False, soft_wrap=True)


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


def _line(one: "Graded") -> str:
    if all(grade.state == "unreadable" for grade in one.grades):
        return f"{one.submission.student}: unreadable, {one.grades[0].seen}"
    points, total = sum(grade.points for grade in one.grades), sum(grade.of for grade in one.grades)
    states = ", ".join(f"{grade.exercise} {grade.state}" for grade in one.grades)
    notes = " ".join(filter(None, (grade.note for grade in one.grades)))
    return f"{points:2} of {total}  {one.submission.student}: {states}{' (before)' * one.before}" + (
        f" - {notes}" if notes else ""
    )
