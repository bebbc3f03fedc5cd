"""Order a plan, skip what is done, and train the rest in worker processes here or on a cluster.

Only the store holds state: after any crash, the same call trains the runs that have no receipt yet.
"""

import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from dataclasses import dataclass

from transferkit.disk.store import Receipt
from transferkit.errors import StoreError, TrainingError, TransferkitError
from transferkit.network import count_parameters
from transferkit.training.experiment import Failure, perform_group
from transferkit.training.forecast import expected_images, relative_cost
from transferkit.training.study import Study
from transferkit.treatments import Run, groups_of

POLL_SECONDS = 0.5
RECEIPT_SECONDS = 90.0  # a network file system may hide what another machine has just written for a minute
BYTES_PER_PARAMETER = 4
SPARE_BYTES = 20 * 2**20

Group = tuple[Run, ...]


@dataclass(frozen=True)
class Progress:
    """How far a sweep has come: networks done and planned, images trained in this call, seconds so far and left.

    `newest` is the receipt that has just come in, if any; `seconds_left` is None before the first image is done.
    """

    done: int
    planned: int
    images: int
    seconds: float
    seconds_left: float | None
    newest: Receipt | None = None

    @property
    def images_per_second(self) -> float:
        """Training images per second since the call began, over all workers."""
        return self.images / self.seconds if self.seconds > 0 else 0.0


def missing(study: Study, runs: Sequence[Run]) -> tuple[Run, ...]:
    """The runs that have no valid receipt, in the same order; damaged ones are set aside."""
    return tuple(run for run in runs if study.store.find(run, study.setting) is None)


def sweep(study: Study, runs: Sequence[Run], workers: AbstractContextManager[Executor]) -> Iterator[Progress]:
    """Train every run without a receipt on `workers`; yield the progress when one is done and twice a second.

    `runs` names each base before the networks that copy from it. When networks fail, trains all that do not depend on
    them, and then raises TrainingError, naming those that failed. Raises StoreError at once when nothing can be kept.
    """
    todo = missing(study, runs)
    _refuse_full_disk(study, todo)
    state = _State(study, todo, len(runs), time.monotonic())
    yield state.progress(())
    if not todo:
        return
    with workers as executor:
        yield from _drive(state, executor)
    state.refuse_failures()


def sweep_together(study: Study, runs: Sequence[Run]) -> Iterator[Progress]:
    """Do what `sweep` does, one network after the other, each trained by all `study.execution.processes` together.

    Every process calls this and yields the same; the first one decides what is done and what comes next. Raises
    TrainingError at the first network that fails: if it failed in one process only, the others would wait for ever.
    """
    from_first = study.execution.processes.from_first
    todo = from_first(lambda: missing(study, runs))
    from_first(lambda: _refuse_full_disk(study, todo))
    state = _State(study, todo, len(runs), time.monotonic())
    yield state.progress(())
    while groups := state.ready():
        for group in groups:
            state.fail(perform_group(study, group))
            for receipt in from_first(lambda group=group: tuple(state.collect(group))):  # type: ignore[misc]
                state.finished.add(receipt.run)
                yield state.progress((), receipt)
    state.refuse_failures()


class _State:
    """What one call of `sweep` knows about its runs while they are trained."""

    def __init__(self, study: Study, todo: Group, planned: int, started: float) -> None:
        self.study, self.planned, self.started = study, planned, started
        self.finished: set[Run] = set()
        self.failures: dict[Run, str] = {}
        self.late: dict[Run, float] = {}  # runs whose worker ended without a visible receipt, and when to give up
        self.cause: BaseException | None = None  # of the first failure that a worker raised
        self.images = {run: expected_images(study, run) for run in todo}
        self.work = {run: self.images[run] * relative_cost(study, run) for run in todo}
        # Bases first, since others wait for them; then the longest groups, so that all workers end at about one time.
        self.waiting = sorted(
            groups_of(todo), key=lambda group: (group[0].n > 0, -sum(self.work[run] for run in group))
        )

    def ready(self) -> list[Group]:
        """Take the waiting groups whose source base is done; give up those whose base has failed."""
        for group in [group for group in self.waiting if group[0].source_base in self.failures]:
            self.waiting.remove(group)
            self.fail(Failure(run, f"{run.label} has no base to copy from.") for run in group)
        unfinished = set(self.work) - self.finished
        ready = [group for group in self.waiting if group[0].source_base not in unfinished]
        self.waiting = [group for group in self.waiting if group not in ready]
        return ready

    def fail(self, failures: Iterable[Failure]) -> None:
        self.failures.update({failure.run: failure.reason for failure in failures})

    def end(self, group: Group, future: Future[tuple[Failure, ...]]) -> None:
        """Note the failures of a group whose worker has ended; receipts that are not visible yet may still appear."""
        self.fail(failure for failure in _result(future, group) if failure.run not in self.finished)
        self.cause = self.cause or future.exception()
        until = time.monotonic() + RECEIPT_SECONDS
        self.late.update({run: until for run in group if run not in self.finished and run not in self.failures})

    def give_up_late(self) -> None:
        """Fail the runs whose receipts have not appeared in time."""
        reason = f"its worker ended, but no receipt is in {self.study.store.work}: do all workers see this work folder?"
        for run in [run for run, until in self.late.items() if until < time.monotonic()]:
            del self.late[run]
            self.fail([Failure.of(run, reason)])

    def refuse_failures(self) -> None:
        if self.failures:
            raise TrainingError(
                f"{len(self.failures)} of {len(self.work)} networks failed, the others are kept: "
                f"{' '.join(self.failures.values())}"
            ) from self.cause

    def collect(self, group: Group) -> Iterator[Receipt]:
        """The receipts of the group that have come in since the last call."""
        for run in group:
            if run not in self.finished and (receipt := self.study.store.find(run, self.study.setting)):
                self.finished.add(run)
                self.late.pop(run, None)
                yield receipt

    def progress(self, running: Iterable[Group], newest: Receipt | None = None) -> Progress:
        seen = {run: self.study.store.pulse(run, self.study.setting) for group in running for run in group}
        seen.update({run: self.images[run] for run in (*self.finished, *self.late)})
        worked = sum(self.work[run] * min(1.0, images / self.images[run]) for run, images in seen.items())
        left = sum(self.work.values()) - worked - sum(self.work[run] for run in self.failures)
        seconds = time.monotonic() - self.started
        done = self.planned - len(self.work) + len(self.finished)
        seconds_left = seconds * left / worked if worked else None
        return Progress(done, self.planned, sum(seen.values()), seconds, seconds_left, newest)


def _drive(state: _State, executor: Executor) -> Iterator[Progress]:
    running: dict[Future[tuple[Failure, ...]], Group] = {}
    while True:
        running |= {executor.submit(perform_group, state.study, group): group for group in state.ready()}
        if not running and not state.late:
            return
        complete = wait(running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED).done
        if not running:  # then `wait` returns at once
            time.sleep(POLL_SECONDS)
        for group in (*running.values(), tuple(state.late)):
            for receipt in state.collect(group):
                yield state.progress(running.values(), receipt)
        for future in complete:
            state.end(running.pop(future), future)
        state.give_up_late()
        if not complete:
            yield state.progress(running.values())


def _result(future: Future[tuple[Failure, ...]], group: Group) -> tuple[Failure, ...]:
    try:
        return future.result()
    except TrainingError as problem:
        return tuple(Failure(run, str(problem)) for run in group)
    except TransferkitError:  # a full disk, for instance: the others would fail as well
        raise
    except CancelledError:
        raise TrainingError(
            f"the scheduler was lost while {group[0].label} was trained: start one and run the same command again; "
            "what is done is kept."
        ) from None
    except BrokenProcessPool:
        raise TrainingError(
            f"a worker process was killed while it trained {group[0].label} or a network beside it (out of memory?): "
            "run the same command again, perhaps with fewer --workers; what is done is kept. A script of your own must "
            "call this under 'if __name__ == \"__main__\":', as worker processes import it."
        ) from None
    except Exception as problem:  # memory, CUDA, a cluster that lost the worker: other groups may still succeed
        message = "".join(f": {line}" for line in str(problem).strip().splitlines()[:1])  # the traceback has the rest
        cause = f"{type(problem).__name__}{message} (run the same command again to try once more)."
        return tuple(Failure.of(run, f"its worker failed with {cause}") for run in group)


def _refuse_full_disk(study: Study, todo: Sequence[Run]) -> None:
    if not todo:
        return
    study.store.work.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(study.store.work).free
    halves = {(run.split, run.target) for run in todo}
    largest = max(len(study.prepared.split(split).classes(target)) for split, target in halves)
    parameters = count_parameters(study.setting.net, largest)
    needed = len(todo) * parameters * BYTES_PER_PARAMETER + SPARE_BYTES
    if free < needed:
        raise StoreError(
            f"{study.store.work} has {free / 1e6:.0f} MB free, {len(todo)} networks need {needed / 1e6:.0f} MB: "
            "free some space or set TRANSFERKIT_WORK to a folder on another disk."
        )
