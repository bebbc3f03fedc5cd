"""`python -m transferkit batch`: what it does with its options."""

import argparse
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from rich.console import Console

from course.batch.drive import Progress, default_workers, local_workers, run_batch
from course.batch.grid import Grid, read_grid
from course.batch.page import write_report
from course.batch.receipts import Receipt
from course.batch.show import show_progress
from course.batch.tasks import Limits, Place, Task, find_notebooks, plan_tasks
from course.doctor.lesson_times import LessonTime, keep_lesson
from transferkit.disk import atomic
from transferkit.disk.prepared import find_work_folder
from transferkit.errors import BatchError, StoreError, UsageError
from transferkit.hardware import usable_cores

REPORT_SECONDS = 30.0  # the page is kept up to date while a batch runs
PROBE = ".writable"
LESSON = re.compile(r"\d\d_\w+")  # what a lesson's file is called


def batch(options: argparse.Namespace) -> None:
    """Run the batch and write its report. Raises BatchError when not all notebooks are done."""
    count = default_workers() if options.workers is None else options.workers
    if min(options.timeout, options.retries) < 0 or min(options.per_gpu, count) < 1:
        raise UsageError("--timeout and --retries must be 0 or more, --workers and --per-gpu 1 or more.")
    notebooks = find_notebooks(options.notebooks)
    grid = read_grid(options.grid, [path.stem for path in notebooks]) if options.grid else Grid()
    place = Place(options.out, options.work or find_work_folder())
    tasks = plan_tasks(notebooks, grid, dict(options.parameter), place, _limits(options, count))
    atomic.write_bytes(options.out / PROBE, b"")  # a folder that cannot be written is told before anything runs
    workers = _cluster(options.scheduler) if options.scheduler else local_workers(count)
    try:
        run_tasks(tasks, workers, options.retries)
    finally:
        (options.out / PROBE).unlink(missing_ok=True)


def run_tasks(tasks: Sequence[Task], workers: AbstractContextManager[Executor], retries: int = 0) -> None:
    """Run tasks on any executor, show the progress, and write the report into their output folder.

    Raises BatchError when not all are done, StoreError when the report cannot be written.
    """
    report = Report(tasks, Path(tasks[0].out))
    try:
        last = show_progress(report.follow(run_batch(tasks, workers, retries)), Console())
    finally:
        page = report.write()
    Console().print(f"wrote {page}", markup=False, highlight=False, soft_wrap=True)
    if last.done < len(tasks):
        raise BatchError(
            f"{len(tasks) - last.done} of {len(tasks)} notebooks did not run to their end; {page} says why, and the "
            "same command runs them again."
        )


class Report:
    """The page, written again while a batch goes on, so that it is there whatever ends the batch."""

    def __init__(self, tasks: Sequence[Task], out: Path) -> None:
        self._tasks, self._out = tasks, out
        self._last: Progress | None = None

    def follow(self, batch: Iterator[Progress]) -> Iterator[Progress]:
        """Pass on every progress, and write the page now and then."""
        written, news = time.monotonic(), False
        for self._last in batch:
            yield self._last
            if self._last.newest is not None:
                _note_time(*self._last.newest)
            news = news or self._last.newest is not None
            if news and time.monotonic() - written > REPORT_SECONDS:
                self.write()
                written, news = time.monotonic(), False

    def write(self) -> Path:
        """Write the page of what is known so far; return its path. Raises StoreError when it cannot be written."""
        return write_report(self._tasks, self._last.receipts if self._last else {}, self._out)


def _note_time(task: Task, receipt: Receipt) -> None:
    """Keep what a lesson took with its own parameters, for the doctor to compare with its prediction."""
    lesson = Path(task.notebook).stem
    usual = set(receipt.parameters) <= {"preset", "device"}
    if receipt.outcome == "done" and usual and LESSON.fullmatch(lesson):
        preset = str(receipt.parameters.get("preset", "quick"))
        with suppress(StoreError):  # a note: the batch does not depend on it
            keep_lesson(Path(task.work), LessonTime(lesson, preset, receipt.origin.started, receipt.usage.seconds))


def _cluster(address: str) -> AbstractContextManager[Executor]:
    from transferkit.training.workers import (
        cluster_workers,  # here, as it imports torch: a batch alone takes a tenth without
    )

    return cluster_workers(address)


def _limits(options: argparse.Namespace, workers: int) -> Limits:
    seconds = 60 * options.timeout or None
    if options.scheduler:
        return Limits(seconds, None, options.per_gpu)
    return Limits(seconds, max(1, usable_cores() // workers), options.per_gpu)
