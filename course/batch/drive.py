"""A whole batch: run every task that is not done yet on workers, with retries."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import psutil

from course.batch.records import CellFailure, Record, failed, find, pulse
from course.batch.slots import gpus
from course.batch.supervise import Waiting, is_notebook, perform
from course.batch.tasks import Task
from transferkit.errors import UsageError
from transferkit.hardware import usable_cores

POLL_SECONDS = 0.5
BUSY_SECONDS = 1.0  # until we look again at a task that another batch is running
CORES_PER_NOTEBOOK, BYTES_PER_NOTEBOOK = 2, 4e9  # by default; a lesson trains in one process per core


@dataclass(frozen=True)
class BatchProgress:
    """How far a batch of `planned` tasks is: records by task name, seconds so far and to go (None: not known yet).

    `newest` is the task that has just ended, with its record; None when none has.
    """

    planned: int
    records: Mapping[str, Record]
    seconds: float
    seconds_left: float | None
    newest: tuple[Task, Record] | None = None

    @property
    def done(self) -> int:
        """How many notebooks have run to their end."""
        return sum(record.outcome == "done" for record in self.records.values())


def default_notebook_workers() -> int:
    """How many notebooks run at once: one per GPU, else one per two cores or fewer if memory is short."""
    memory = psutil.virtual_memory().available
    return len(gpus(os.environ)) or max(1, min(usable_cores() // CORES_PER_NOTEBOOK, int(memory / BYTES_PER_NOTEBOOK)))


@contextmanager
def notebook_workers(count: int) -> Iterator[Executor]:
    """An executor of `count` threads; each runs one notebook at a time in a process on this machine.

    An error or Ctrl-C ends the notebooks at once; if this process is killed, they end too. Raises UsageError for a
    count below 1.
    """
    if count < 1:
        raise UsageError(f"{count} workers cannot run anything: ask for at least 1.")
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in psutil.Process().children():
            if is_notebook(child):
                child.terminate()
        raise
    finally:
        pool.shutdown()


def run_batch(
    tasks: Sequence[Task], workers: AbstractContextManager[Executor], retries: int = 0
) -> Iterator[BatchProgress]:
    """Run every task that is not done on `workers`; yield the progress when a task has ended, and twice a second.

    A task that ends badly is tried again, up to `retries` times. That raises nothing: its record says what happened.
    """
    batch = _Batch(tasks, retries)
    yield batch.progress()
    if batch.todo:
        with workers as executor:
            yield from batch.drive(executor)


class _Batch:
    """The state of one call of `run_batch`."""

    def __init__(self, tasks: Sequence[Task], retries: int) -> None:
        self.planned, self.retries, self.started = len(tasks), retries, time.monotonic()
        self.records = {task.name: record for task in tasks if (record := find(task))}
        self.todo = [task for task in tasks if task.name not in self.records]
        self.running: dict[Future[Record | Waiting], tuple[Task, int]] = {}
        self.later: list[tuple[float, Task]] = []

    def drive(self, executor: Executor) -> Iterator[BatchProgress]:
        for task in self.todo:
            self._submit(executor, task, 1)
        while self.running or self.later:
            complete, _ = wait(self.running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            if not self.running:
                time.sleep(POLL_SECONDS)
            for future in complete:
                if ended := self._collect(executor, future):
                    yield self.progress(ended)
            self._look_again(executor)
            if not complete:
                yield self.progress()

    def progress(self, newest: tuple[Task, Record] | None = None) -> BatchProgress:
        seconds = time.monotonic() - self.started
        shares = [1.0 if task.name in self.records else pulse(task) for task in self.todo]
        worked = sum(shares)
        left = seconds * (len(shares) - worked) / worked if worked else None
        return BatchProgress(self.planned, dict(self.records), seconds, left, newest)

    def _submit(self, executor: Executor, task: Task, attempt: int) -> None:
        self.running[executor.submit(perform, task, attempt)] = (task, attempt)

    def _look_again(self, executor: Executor) -> None:
        now = time.monotonic()
        for due, task in [entry for entry in self.later if entry[0] <= now]:
            self.later.remove((due, task))
            self._submit(executor, task, 1)

    def _collect(self, executor: Executor, future: Future[Record | Waiting]) -> tuple[Task, Record] | None:
        task, attempt = self.running.pop(future)
        result = _result(future, task)
        if result == "busy":
            self.later.append((time.monotonic() + BUSY_SECONDS, task))
            return None
        if isinstance(result, str):
            result = failed(task, CellFailure("stopped from outside; start the batch again."), "died", attempt)
        if result.outcome != "done" and attempt <= self.retries:
            self._submit(executor, task, attempt + 1)
            return None
        self.records[task.name] = result
        return task, result


def _result(future: Future[Record | Waiting], task: Task) -> Record | Waiting:
    try:
        return future.result()
    except Exception as problem:  # the cluster lost the worker: only this notebook suffers, not the batch
        return failed(task, CellFailure(f"its worker was lost ({type(problem).__name__}: {problem})."), "died")
