"""Order a plan, skip what is done, and train the rest in worker processes here or on a cluster.

State lives in the store alone: whatever is killed, the same call again does what has no receipt.
"""

import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from transferkit.treatments import HALVES, Run, groups_of

POLL_SECONDS = 0.5
RECEIPT_SECONDS = 90.0  # a network file system may hide for a minute what another machine has just written
BYTES_PER_PARAMETER = 4
SPARE_BYTES = 20 * 2**20


@dataclass(frozen=True)
class Progress:
    """How far a sweep is: networks done of those planned, images trained in this call, seconds so far and to go.

    `newest` is the receipt that has just come in, if one has; `seconds_left` is None before any image is done.
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
    """Those of the runs that have no valid receipt, in the same order; what is damaged is set aside."""
    return tuple(run for run in runs if study.store.find(run, study.setting) is None)


def sweep(study: Study, runs: Sequence[Run], workers: AbstractContextManager[Executor]) -> Iterator[Progress]:
    """Train every run without a receipt on `workers`; yield the progress when one is done and twice a second.

    `runs` names each base before what copies from it. Raises TrainingError at the end, naming the networks that failed,
    after all that do not depend on them; StoreError at once, when nothing more can be kept.
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
    """As `sweep`, one network after the other, each trained by all of `study.execution.processes` together.

    Every process calls this and yields the same; what is there already and what comes next the first one decides.
    Raises TrainingError at the first network that fails: if it failed in one of them alone, the others would wait.
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


Group = tuple[Run, ...]


class _State:
    """What one call of `sweep` knows of its runs while they are trained."""

    def __init__(self, study: Study, todo: Group, planned: int, started: float) -> None:
        self.study, self.planned, self.started = study, planned, started
        self.finished: set[Run] = set()
        self.failures: dict[Run, str] = {}
        self.late: dict[Run, float] = {}  # whose worker has ended without a receipt in sight, and how long to wait
        self.cause: BaseException | None = None  # of the first failure that a worker raised
        self.images = {run: expected_images(study, run) for run in todo}
        self.work = {run: self.images[run] * relative_cost(study, run) for run in todo}
        # Bases first, as others wait for them; then what takes longest, so that all workers end at the same time.
        self.waiting = sorted(
            groups_of(todo), key=lambda group: (group[0].n > 0, -sum(self.work[run] for run in group))
        )

    def ready(self) -> list[Group]:
        """Take the groups whose source base is there; give up those whose base has failed."""
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
        """Note what failed of a group whose worker has ended; what it kept may yet have to come in sight."""
        self.fail(failure for failure in _result(future, group) if failure.run not in self.finished)
        self.cause = self.cause or future.exception()
        until = time.monotonic() + RECEIPT_SECONDS
        self.late.update({run: until for run in group if run not in self.finished and run not in self.failures})

    def give_up_late(self) -> None:
        """Fail the runs whose receipts have been waited for long enough."""
        reason = f"its worker ended, but no receipt is in {self.study.store.work}: do all workers see this work folder?"
        for run in [run for run, until in self.late.items() if until < time.monotonic()]:
            del self.late[run]
            self.fail([_failure(run, reason)])

    def refuse_failures(self) -> None:
        if self.failures:
            raise TrainingError(
                f"{len(self.failures)} of {len(self.work)} networks failed, the others are kept: "
                f"{' '.join(self.failures.values())}"
            ) from self.cause

    def collect(self, group: Group) -> Iterator[Receipt]:
        """The receipts of the group that have come in since it was last asked."""
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
        return Progress(
            done=self.planned - len(self.work) + len(self.finished),
            planned=self.planned,
            images=sum(seen.values()),
            seconds=seconds,
            seconds_left=seconds * left / worked if worked else None,
            newest=newest,
        )


def _drive(state: _State, executor: Executor) -> Iterator[Progress]:
    running: dict[Future[tuple[Failure, ...]], Group] = {}
    while True:
        running |= {executor.submit(perform_group, state.study, group): group for group in state.ready()}
        if not running and not state.late:
            return
        complete = _ended(running)
        for group in (*running.values(), tuple(state.late)):
            for receipt in state.collect(group):
                yield state.progress(running.values(), receipt)
        for future in complete:
            state.end(running.pop(future), future)
        state.give_up_late()
        if not complete:
            yield state.progress(running.values())


def _ended(running: Mapping[Future[tuple[Failure, ...]], Group]) -> set[Future[tuple[Failure, ...]]]:
    """Those that have ended, as soon as one has, or none after a while."""
    if not running:  # `wait` would not wait at all
        time.sleep(POLL_SECONDS)
    return wait(running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED).done


def _result(future: Future[tuple[Failure, ...]], group: Group) -> tuple[Failure, ...]:
    try:
        return future.result()
    except TrainingError as problem:
        return tuple(Failure(run, str(problem)) for run in group)
    except TransferkitError:  # as a full disk: the others would fail as well
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
    except Exception as problem:  # memory, CUDA, a cluster that lost the worker: this group's trouble alone
        return tuple(_failure(run, f"its worker failed with {_cause(problem)}") for run in group)


def _failure(run: Run, reason: str) -> Failure:
    return Failure(run, f"{run.label} ({run.split}, seed {run.seed}): {reason}")


def _cause(problem: Exception) -> str:
    """The type and the first line of what it says, where it says anything; the rest is for the traceback."""
    said = str(problem).strip().splitlines()
    return f"{type(problem).__name__}{f': {said[0]}' if said else ''} (run the same command again to try once more)."


def _refuse_full_disk(study: Study, todo: Sequence[Run]) -> None:
    if not todo:
        return
    study.store.work.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(study.store.work).free
    splits = [study.prepared.split(name) for name in {run.split for run in todo}]
    largest = max(len(split.classes(half)) for split in splits for half in HALVES)
    parameters = count_parameters(study.setting.net, largest)
    needed = len(todo) * parameters * BYTES_PER_PARAMETER + SPARE_BYTES
    if free < needed:
        raise StoreError(
            f"{study.store.work} has {free / 1e6:.0f} MB free, {len(todo)} networks need {needed / 1e6:.0f} MB: "
            "free some space or set TRANSFERKIT_WORK to a folder on another disk."
        )
