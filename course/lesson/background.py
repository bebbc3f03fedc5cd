"""A sweep in a thread of its own: the networks are trained in worker processes, and the kernel stays free meanwhile."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from course.evidence.sweeps import SeriesStep
from transferkit.config import Setting
from transferkit.disk.store import Receipt
from transferkit.errors import TransferkitError
from transferkit.training.forecast import expected_images, relative_cost
from transferkit.training.sweep import Progress, sweep
from transferkit.training.workers import default_workers, local_workers
from transferkit.treatments import Run

Network = tuple[Setting, Run]


class StoppedError(TransferkitError):
    """The training was stopped; what is finished is kept. Jupyter shows the sentence without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@dataclass(frozen=True)
class State:
    """How far all trainings of a cell are together: networks done and planned, and seconds left, if known."""

    done: int
    planned: int
    seconds_left: float | None = None


class BackgroundSweep(threading.Thread):
    """Trains what steps lack, one step after the other, after any other such thread of this process.

    `found` holds the receipts by setting and run; `watch` is called, in this thread, when one comes in, twice a second
    besides, and at the end. `problem` is what ended it early, if anything did.
    """

    def __init__(self, steps: Sequence[SeriesStep]) -> None:
        super().__init__(name="growing", daemon=True)
        self.steps = tuple(steps)
        self.found: dict[Network, Receipt] = {}
        self.watch: Callable[[], object] = lambda: None
        self.problem: Exception | None = None
        self.over = threading.Event()
        self._stopping = threading.Event()
        self._seconds_left: float | None = None
        self._began = time.monotonic()
        self._work: dict[Network, float] = {}
        self.planned = {(step.study.setting, run): step.study for step in self.steps for run in step.runs}
        self._look()

    @property
    def state(self) -> State:
        """How far it is."""
        return State(len(self.found), len(self.planned), self._seconds_left)

    @property
    def whole(self) -> bool:
        """Whether every network is there."""
        return len(self.found) == len(self.planned)

    def does(self, steps: Sequence[SeriesStep]) -> bool:
        """Whether it is at work on the very networks of these steps."""
        same = {(step.study.setting, run): step.study.store for step in steps for run in step.runs}
        mine = {network: study.store for network, study in self.planned.items()}
        return not self.over.is_set() and not self._stopping.is_set() and same == mine

    def stop(self) -> None:
        """End the workers; finished networks and checkpoints are kept."""
        self._stopping.set()

    def run(self) -> None:
        """Train to the end, or until `stop`."""
        try:
            self._wait_for_others()
            if not self.whole and not self._stopping.is_set():
                self._train()
            self._look()
        except Exception as problem:  # told by the cell
            self._look()
            self.problem = problem
        finally:
            self.over.set()
            self.watch()

    def _wait_for_others(self) -> None:
        """Two sweeps at once would take each other's cores."""
        others = [one for one in threading.enumerate() if isinstance(one, BackgroundSweep) and one._comes_before(self)]
        while any(one.is_alive() for one in others) and not self._stopping.wait(0.2):
            pass

    def _comes_before(self, other: "BackgroundSweep") -> bool:
        return self is not other and self._began < other._began

    def _train(self) -> None:
        self._work = {  # in multiply-adds, about
            (setting, run): expected_images(study, run) * relative_cost(study, run)
            for (setting, run), study in self.planned.items()
            if (setting, run) not in self.found
        }
        with local_workers(default_workers(self.steps[0].study.setting.device)) as executor:
            for index, step in enumerate(self.steps):
                for progress in sweep(step.study, step.runs, nullcontext(executor)):
                    if self._stopping.is_set():
                        raise StoppedError("stopped.")  # which ends the workers
                    if progress.newest is not None:
                        self.found[step.study.setting, progress.newest.run] = progress.newest
                    self._seconds_left = self._left(index, progress)
                    self.watch()
                self._look()

    def _left(self, index: int, progress: Progress) -> float | None:
        """The seconds left of all steps, if later ones go as fast as this one."""
        if progress.seconds_left is None:
            return None
        left, later = self._left_of([self.steps[index]]), self._left_of(self.steps[index + 1 :])
        return progress.seconds_left * (1 + later / left) if left else progress.seconds_left

    def _left_of(self, steps: Sequence[SeriesStep]) -> float:
        networks = {(step.study.setting, run) for step in steps for run in step.runs} - set(self.found)
        return sum(self._work.get(network, 0.0) for network in networks)

    def _look(self) -> None:
        """Find the receipts that are there."""
        for (setting, run), study in self.planned.items():
            if (setting, run) not in self.found and (receipt := study.store.find(run, setting)):
                self.found[setting, run] = receipt


def sweep_of(steps: Sequence[SeriesStep]) -> BackgroundSweep:
    """The thread that already trains just these networks, so that a cell run twice trains once; or a new one."""
    threads = [one for one in threading.enumerate() if isinstance(one, BackgroundSweep) and one.does(steps)]
    return threads[0] if threads else BackgroundSweep(steps)
