"""A whole batch: every task over the workers, with retries; what is done already is skipped."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import psutil

from course.batch.receipts import Failure, Receipt, failed, find, pulse
from course.batch.slots import gpus
from course.batch.supervise import Waiting, is_notebook, perform
from course.batch.tasks import Task
from transferkit.errors import UsageError
from transferkit.hardware import usable_cores

POLL_SECONDS = 0.5
BUSY_SECONDS = 1.0  # before a task that another batch is running is looked at again
CORES_PER_NOTEBOOK, BYTES_PER_NOTEBOOK = 2, 4e9  # by default; a lesson trains in as many processes as it has cores


@dataclass(frozen=True)
class Progress:
    """How far a batch is: receipts by task name, of `planned`; seconds so far and to go (None: not known yet).

    `newest` is what has just come in, if anything has.
    """

    planned: int
    receipts: Mapping[str, Receipt]
    seconds: float
    seconds_left: float | None
    newest: tuple[Task, Receipt] | None = None

    @property
    def done(self) -> int:
        """How many notebooks have run to their end."""
        return sum(receipt.outcome == "done" for receipt in self.receipts.values())


def default_workers() -> int:
    """How many notebooks run at once: one per GPU, or one per two cores as far as memory goes."""
    memory = psutil.virtual_memory().available
    return len(gpus(os.environ)) or max(1, min(usable_cores() // CORES_PER_NOTEBOOK, int(memory / BYTES_PER_NOTEBOOK)))


@contextmanager
def local_workers(count: int) -> Iterator[Executor]:
    """`count` notebooks at once on this machine; threads, for every notebook is a process of its own.

    An error or Ctrl-C ends the notebooks at once; if this process is killed, they end too.
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


def run_batch(tasks: Sequence[Task], workers: AbstractContextManager[Executor], retries: int = 0) -> Iterator[Progress]:
    """Run every task that is not done on `workers`; yield the progress whenever one has ended, and twice a second.

    A task that does not end well is tried again up to `retries` times. Nothing is raised for it: see its receipt.
    """
    batch = _Batch(tasks, retries)
    yield batch.progress()
    if batch.todo:
        with workers as executor:
            yield from batch.drive(executor)


class _Batch:
    """What one call of `run_batch` knows of its tasks."""

    def __init__(self, tasks: Sequence[Task], retries: int) -> None:
        self.planned, self.retries, self.started = len(tasks), retries, time.monotonic()
        self.receipts = {task.name: receipt for task in tasks if (receipt := find(task))}
        self.todo = [task for task in tasks if task.name not in self.receipts]
        self.running: dict[Future[Receipt | Waiting], tuple[Task, int]] = {}
        self.later: list[tuple[float, Task]] = []

    def drive(self, executor: Executor) -> Iterator[Progress]:
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

    def progress(self, newest: tuple[Task, Receipt] | None = None) -> Progress:
        seconds = time.monotonic() - self.started
        shares = [1.0 if task.name in self.receipts else pulse(task) for task in self.todo]
        worked = sum(shares)
        left = seconds * (len(shares) - worked) / worked if worked else None
        return Progress(self.planned, dict(self.receipts), seconds, left, newest)

    def _submit(self, executor: Executor, task: Task, attempt: int) -> None:
        self.running[executor.submit(perform, task, attempt)] = (task, attempt)

    def _look_again(self, executor: Executor) -> None:
        now = time.monotonic()
        for due, task in [entry for entry in self.later if entry[0] <= now]:
            self.later.remove((due, task))
            self._submit(executor, task, 1)

    def _collect(self, executor: Executor, future: Future[Receipt | Waiting]) -> tuple[Task, Receipt] | None:
        task, attempt = self.running.pop(future)
        result = _result(future, task)
        if result == "busy":
            self.later.append((time.monotonic() + BUSY_SECONDS, task))
            return None
        if isinstance(result, str):
            result = failed(task, Failure("stopped from outside; start the batch again."), "died", attempt)
        if result.outcome != "done" and attempt <= self.retries:
            self._submit(executor, task, attempt + 1)
            return None
        self.receipts[task.name] = result
        return task, result


def _result(future: Future[Receipt | Waiting], task: Task) -> Receipt | Waiting:
    try:
        return future.result()
    except Exception as problem:  # a cluster lost the worker: this notebook's trouble, not the batch's
        return failed(task, Failure(f"its worker was lost ({type(problem).__name__}: {problem})."), "died")
