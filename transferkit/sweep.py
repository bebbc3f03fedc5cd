"""Order a plan, skip what is done, and train the rest in worker processes here or on a cluster.

State lives in the store alone: whatever is killed, the same call again does what has no receipt.
"""

import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from dataclasses import dataclass

from transferkit.errors import StoreError, TrainingError
from transferkit.experiment import Failure, Study, perform_group
from transferkit.network import count_parameters
from transferkit.store import Receipt
from transferkit.treatments import Run, groups_of
from transferkit.workload import expected_images, relative_cost

POLL_SECONDS = 0.5
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

    `runs` names each base before what copies from it. Raises TrainingError at the end, naming the networks
    that failed, after all that do not depend on them; StoreError at once, when nothing more can be kept.
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
    """As `sweep`, one network after the other, each trained by all processes of `study.conduct.ranks` together.

    Every process calls this and yields the same; what is there already and what comes next the first one decides.
    """
    told = study.conduct.ranks.told
    todo = told(lambda: missing(study, runs))
    told(lambda: _refuse_full_disk(study, todo))
    state = _State(study, todo, len(runs), time.monotonic())
    yield state.progress(())
    while groups := state.ready():
        for group in groups:
            state.fail(perform_group(study, group))
            for receipt in told(lambda group=group: tuple(state.collect(group))):  # type: ignore[misc]
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

    def refuse_failures(self) -> None:
        if self.failures:
            raise TrainingError(
                f"{len(self.failures)} of {len(self.work)} networks failed, the others are kept: "
                f"{' '.join(self.failures.values())}"
            )

    def collect(self, group: Group) -> Iterator[Receipt]:
        """The receipts of the group that have come in since it was last asked."""
        for run in group:
            if run not in self.finished and (receipt := self.study.store.find(run, self.study.setting)):
                self.finished.add(run)
                yield receipt

    def progress(self, running: Iterable[Group], newest: Receipt | None = None) -> Progress:
        seen = {run: self.study.store.pulse(run, self.study.setting) for group in running for run in group}
        seen.update({run: self.images[run] for run in self.finished})
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
        running.update({executor.submit(perform_group, state.study, group): group for group in state.ready()})
        if not running:
            return
        complete, _ = wait(running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in complete:
            state.fail(_result(future, running[future]))
        for group in running.values():
            for receipt in state.collect(group):
                yield state.progress(running.values(), receipt)
        for future in complete:
            del running[future]
        if not complete:
            yield state.progress(running.values())


def _result(future: Future[tuple[Failure, ...]], group: Group) -> tuple[Failure, ...]:
    try:
        return future.result()
    except TrainingError as problem:
        return tuple(Failure(run, str(problem)) for run in group)
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


def _refuse_full_disk(study: Study, todo: Sequence[Run]) -> None:
    if not todo:
        return
    study.store.work.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(study.store.work).free
    parameters = count_parameters(study.setting.net, len(study.prepared.manifest.classes))
    needed = len(todo) * parameters * BYTES_PER_PARAMETER + SPARE_BYTES
    if free < needed:
        raise StoreError(
            f"{study.store.work} has {free / 1e6:.0f} MB free, {len(todo)} networks need {needed / 1e6:.0f} MB: "
            "free some space or set TRANSFERKIT_WORK to a folder on another disk."
        )
