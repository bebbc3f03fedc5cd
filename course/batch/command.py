"""`python -m transferkit batch`: its options and what it does. Importing this module is quick, for `--help`."""

import argparse
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from transferkit.commands import add_usual_options
from transferkit.disk import atomic

if TYPE_CHECKING:
    from course.batch.drive import BatchProgress
    from course.batch.records import Record
    from course.batch.tasks import Task, TaskLimits

DEFAULT_MINUTES = 180.0
REPORT_SECONDS = 30.0  # between two versions of the page while a batch runs
PROBE = ".writable"
LESSON = re.compile(r"\d\d_\w+")  # the file name of a lesson


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of `batch`."""
    command.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK", help="notebooks, or folders of them")
    command.add_argument("--grid", type=Path, metavar="FILE", help="sets of parameters in YAML: a product or a list")
    command.add_argument(
        "-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
        help="a parameter of every notebook",
    )  # fmt: skip
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for notebooks and the report")
    where = command.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, help="notebooks at once (default: one per GPU, or per two CPU cores)")
    where.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler, as in tcp://host:8786")
    command.add_argument(
        "--timeout", type=float, default=DEFAULT_MINUTES, metavar="MIN",
        help=f"minutes that one notebook may take, 0 for no limit (default: {DEFAULT_MINUTES:g})",
    )  # fmt: skip
    command.add_argument(
        "--retries", type=int, default=0, metavar="N",
        help="times to try again a notebook that failed, timed out or died (default: 0)",
    )  # fmt: skip
    command.add_argument(
        "-k", "--kernel", default="", metavar="NAME",
        help="the kernel for every notebook (default: its own, or that of this Python if its own is not installed)",
    )  # fmt: skip
    command.add_argument(
        "--dry-run", action="store_true", help="say what would run and about how long it takes, and do nothing"
    )
    command.add_argument("--per-gpu", type=int, default=1, metavar="N", help="notebooks on one GPU (default: 1)")
    add_usual_options(command)


def batch(options: argparse.Namespace) -> None:
    """Run the batch and write its report. Raises BatchError when some notebook is not done."""
    from course.batch.drive import default_notebook_workers, notebook_workers
    from course.batch.tasks import passed_over
    from transferkit.errors import UsageError

    count = default_notebook_workers() if options.workers is None else options.workers
    if min(options.timeout, options.retries) < 0 or min(options.per_gpu, count) < 1:
        raise UsageError("--timeout and --retries must be 0 or more, --workers and --per-gpu 1 or more.")
    tasks = _plan(options, count)
    for folder in passed_over(options.notebooks):
        _say(f"{folder} holds notebooks too, but a batch does not look into folders of folders: name it to run them.")
    if options.dry_run:
        from course.batch.dry_run import look_ahead

        return _say(*look_ahead(tasks).lines(count))
    probe = options.out / PROBE
    with _remedy_of_batch():
        atomic.write_bytes(probe, b"")  # so that a folder without write permission fails before anything runs
    try:
        run_tasks(tasks, _cluster(options.scheduler) if options.scheduler else notebook_workers(count), options.retries)
    finally:
        probe.unlink(missing_ok=True)
    return None


def _plan(options: argparse.Namespace, count: int) -> "tuple[Task, ...]":
    from course.batch.grid import Grid, read_grid
    from course.batch.kernels import installed, refuse_unknown
    from course.batch.tasks import Place, find_notebooks, plan_tasks
    from transferkit.disk.prepared import find_work_folder
    from transferkit.errors import UsageError

    if twice := {name for name, _ in options.parameter if [one for one, _ in options.parameter].count(name) > 1}:
        raise UsageError(f"-p {twice.pop()} is given twice: give it once, or put several values into a --grid.")
    if options.kernel and not options.scheduler:  # other machines may have other kernels
        refuse_unknown(options.kernel, installed())
    notebooks = find_notebooks(options.notebooks)
    grid = read_grid(options.grid, [path.stem for path in notebooks]) if options.grid else Grid()
    place = Place(options.out, options.work or find_work_folder(), options.kernel)
    return plan_tasks(notebooks, grid, dict(options.parameter), place, _limits(options, count))


def run_tasks(tasks: "Sequence[Task]", workers: AbstractContextManager[Executor], retries: int = 0) -> None:
    """Run tasks on any executor, show the progress, and write the report into their output folder.

    Raises BatchError when some task is not done, StoreError when the report cannot be written.
    """
    from rich.console import Console

    from course.batch.drive import run_batch
    from course.batch.show import show_progress
    from course.batch.tasks import shown
    from course.errors import BatchError

    report = BatchReport(tasks, Path(tasks[0].out))
    try:
        last = show_progress(report.follow(run_batch(tasks, workers, retries)), Console(emoji=False))
    finally:
        page = shown(str(report.write()))
    _say(f"wrote {page}")
    if last.done < len(tasks):
        raise BatchError(
            f"{len(tasks) - last.done} of {len(tasks)} notebooks did not run to their end; {page} says why, and the "
            "same command runs them again."
        )


def _say(*lines: str) -> None:
    from rich.console import Console

    from course.batch.tasks import shown

    for line in lines:
        Console(emoji=False).print(shown(line), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _remedy_of_batch() -> Iterator[None]:
    """Where a file of the batch cannot be written, another work folder would change nothing."""
    from course.batch.records import describe
    from transferkit.errors import StoreError

    try:
        yield
    except StoreError as problem:
        raise StoreError(describe(problem)) from problem


class BatchReport:
    """The page, rewritten while a batch runs: whatever ends the batch, a page is there."""

    def __init__(self, tasks: "Sequence[Task]", out: Path) -> None:
        self._tasks, self._out = tasks, out
        self._last: BatchProgress | None = None

    def follow(self, batch: "Iterator[BatchProgress]") -> "Iterator[BatchProgress]":
        """Pass every progress on, and write the page now and then."""
        written, news = time.monotonic(), False
        for self._last in batch:
            yield self._last
            if self._last.newest is not None:
                _note_time(*self._last.newest)
                news = True
            if news and time.monotonic() - written > REPORT_SECONDS:
                self.write()
                written, news = time.monotonic(), False

    def write(self) -> Path:
        """Write the page with what is known by now; return its path. Raises StoreError when it cannot be written."""
        from course.batch.page import write_report

        with _remedy_of_batch():
            return write_report(self._tasks, self._last.records if self._last else {}, self._out)


def _note_time(task: "Task", record: "Record") -> None:
    """Keep how long a lesson took with its own parameters; the doctor compares this with its prediction."""
    lesson = Path(task.notebook).stem
    usual = set(record.parameters) <= {"preset", "device"}
    if record.outcome == "done" and usual and LESSON.fullmatch(lesson):
        from course.doctor.lesson_times import LessonTime, keep_lesson
        from transferkit.errors import StoreError

        preset = str(record.parameters.get("preset", "quick"))
        with suppress(StoreError):  # the batch does not depend on this note
            keep_lesson(Path(task.work), LessonTime(lesson, preset, record.origin.started, record.usage.seconds))


def _cluster(address: str) -> AbstractContextManager[Executor]:
    from transferkit.training.workers import (
        cluster_workers,  # imports torch: a batch needs a tenth of the memory without
    )

    return cluster_workers(address)


def _limits(options: argparse.Namespace, workers: int) -> "TaskLimits":
    from course.batch.tasks import TaskLimits
    from transferkit.hardware import usable_cores

    cores = None if options.scheduler else max(1, usable_cores() // workers)
    return TaskLimits(60 * options.timeout or None, cores, options.per_gpu)
