"""Results that grow: a figure that is drawn at once, and again with each network that the background has trained.

A cell of a lesson starts it and is done; the learner reads and does exercises meanwhile. Where nobody sits at the front
end (papermill, nbclient, a script) the cell waits to the end, and shows one last picture.
"""

import asyncio
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from course.evidence import collect
from course.evidence.plan import Series
from course.evidence.sweeps import SeriesStep, Site, steps_of
from course.lesson.background import BackgroundSweep, StoppedError, sweep_of
from course.lesson.growing_view import KEPT_ALONE, ProgressLine, View
from course.lesson.kept_rows import kept_rows
from course.lesson.prediction_sliders import PredictionSliders
from course.lesson.showing import Bundle, bundle_of, somebody_is_there
from transferkit.disk.store import Receipt
from transferkit.results import COLUMNS, tabulate
from transferkit.training.study import Study
from transferkit.treatments import Run

SECONDS_BETWEEN = 2.0  # of two drawings, at least: they take the kernel's time
Draw = Callable[..., object]
Tables = tuple[pd.DataFrame, ...]


def grow(
    study: Study, runs: Sequence[Run], draw: Draw, answer: PredictionSliders | None = None,
    kept: Callable[[], object] | None = None,
) -> "Growing":  # fmt: skip
    """Train the runs in the background; show `draw(table)` at once, and again whenever a network is finished.

    `table` has one row per network: the learner's own (column `whose`: "yours"), and those that this project kept in
    place of missing ones ("kept"). `kept()` is shown as long as `draw` raises, as it may before its networks are
    there. With `answer`, nothing is shown until that prediction is locked. Called again, it goes on, and never trains
    a network twice. Where nobody is at the front end it waits, and raises what `sweep` raises.
    """
    return grow_all([(study, runs)], draw, answer, kept)


def grow_all(
    parts: Sequence[tuple[Study, Sequence[Run]]], draw: Draw, answer: PredictionSliders | None = None,
    kept: Callable[[], object] | None = None,
) -> "Growing":  # fmt: skip
    """As `grow` for several trainings under one progress; `draw` gets one table for each."""
    steps = tuple(SeriesStep(study, tuple(runs)) for study, runs in parts)
    return _begin(Growing(steps, answer), draw, kept)


def grow_series(
    series: Series, site: Site, draw: Draw, answer: PredictionSliders | None = None,
    kept: Callable[[], object] | None = None,
) -> "Growing":  # fmt: skip
    """As `grow` for a series of the evidence; `draw` gets the first table of `train_series`, of the learner's alone."""
    return _begin(GrowingSeries(steps_of(series, site), answer), draw, kept)


def _begin(growing: "Growing", draw: Draw, kept: Callable[[], object] | None) -> "Growing":
    growing.begin(draw, kept)
    return growing


class Growing:
    """Trainings under way, and the pictures that grow with them."""

    def __init__(self, steps: Sequence[SeriesStep], answer: PredictionSliders | None = None) -> None:
        self._steps, self._answer = tuple(steps), answer
        self._sweep: BackgroundSweep = sweep_of(self._steps)
        self._kept = [kept_rows(step.study, step.runs) for step in self._steps]
        self._views: list[View] = []
        self._line = ProgressLine(self.stop, self.go_on)
        self._drawn, self._drawn_networks = 0.0, -1
        self._somebody = somebody_is_there()

    @property
    def receipts(self) -> list[Receipt]:
        """The receipts of the networks that are finished, in the order of the runs."""
        return [self._sweep.found[network] for network in self._sweep.planned if network in self._sweep.found]

    def table(self, part: int = 0) -> pd.DataFrame:
        """The tidy table of the learner's finished networks, of one of several trainings; it does not wait."""
        return self._own()[part]

    def tables(self) -> Tables:
        """The tables of all trainings, when all networks are there: it waits. Raises as `wait`."""
        self.wait()
        return self._own()

    def show(self, draw: Draw) -> None:
        """Show `draw(table)` here as well, and again when networks are finished: a picture, a table, anything."""
        self._add(lambda: bundle_of(draw(*self._mixed())), None)

    def reveal(self, came: Callable[..., Sequence[float]]) -> None:
        """Show the prediction beside `came(table)`, one value per place, NaN where there is none yet."""
        answer = self._answer
        if answer is None:
            raise TypeError("there is no prediction to reveal: give `answer` to course.grow.")

        def result() -> Bundle:
            return answer.result([float(value) for value in came(*self._own_named())], self.receipts)

        self._add(result, None, mixed=False)

    def wait(self) -> list[Receipt]:
        """Wait until all networks are there; return all receipts in order.

        Raises what `sweep` raises, and StoppedError at the kernel's interrupt: finished networks and checkpoints are
        kept.
        """
        try:
            while not self._sweep.over.is_set():
                time.sleep(0.1)
        except KeyboardInterrupt:
            raise self._interrupted() from None
        return self._all()

    def __await__(self) -> Generator[Any, None, list[Receipt]]:
        """As `wait`, for a cell: meanwhile the kernel hears sliders and buttons, which `wait` lets wait as well."""
        try:
            while not self._sweep.over.is_set():
                yield from asyncio.sleep(0.1).__await__()
        except (asyncio.CancelledError, KeyboardInterrupt):  # the kernel's interrupt cancels a cell that awaits
            raise self._interrupted() from None
        return self._all()

    def _interrupted(self) -> StoppedError:
        self.stop()
        return StoppedError(self._stopped())

    def _all(self) -> list[Receipt]:
        if self._sweep.problem is not None:
            raise self._told(self._sweep.problem) from self._sweep.problem.__cause__
        return self.receipts

    def stop(self) -> None:
        """Stop the training; finished networks and checkpoints are kept, and `go_on` or the cell run again goes on."""
        self._sweep.stop()
        self._sweep.over.wait(30)

    def go_on(self) -> None:
        """Train again what a stop or an error has left."""
        if self._sweep.over.is_set() and not self._sweep.whole:
            self._sweep = sweep_of(self._steps)
            self._start()

    def begin(self, draw: Draw, kept: Callable[[], object] | None) -> None:
        """What the call in a cell does: draw, train, and wait where nobody is there."""
        if not self._somebody:
            self._start()
            self.wait()
        self._line.show(self._sweep)
        self._add(lambda: bundle_of(draw(*self._mixed())), kept)
        if self._somebody:
            self._start()

    def _start(self) -> None:
        earlier = self._sweep.watch
        if isinstance(owner := getattr(earlier, "__self__", None), Growing) and owner is not self:
            self._views += owner._views[1:]  # those of later cells; the first one belongs to the cell run again
        whole = self._sweep.whole
        self._sweep.watch = self._watch
        if whole:
            self._sweep.over.set()
        elif self._sweep.ident is None:
            self._sweep.start()
        elif self._sweep.over.is_set():  # it has just ended, and told the one before
            self._watch()

    def _watch(self) -> None:
        """What the thread calls: tell how far it is, and draw again if there is something new."""
        over, networks = self._sweep.over.is_set(), len(self._sweep.found)
        if self._somebody:
            self._line.show(self._sweep)
        new = networks != self._drawn_networks and time.monotonic() - self._drawn > SECONDS_BETWEEN
        if self._somebody and (new or over):
            for view in self._views:
                view.draw()
            self._drawn, self._drawn_networks = time.monotonic(), networks

    def _add(self, make: Callable[[], Bundle], kept: Callable[[], object] | None, *, mixed: bool = True) -> None:
        view = View(make, self._answer, kept, lambda: self._sweep.whole, self._words if mixed else lambda: "")
        self._views = [one for one in self._views if not one.replaced_by(view)] + [view]
        self._drawn, self._drawn_networks = time.monotonic(), len(self._sweep.found)
        view.draw()

    def _words(self) -> str:
        """What the frame says while not all networks are the learner's own; empty when they are."""
        state, kept = self._sweep.state, sum(len(table) for table in self._missing_rows())
        if self._sweep.whole or not kept:
            return ""
        if not state.done:
            return KEPT_ALONE
        return f"{state.done} of {state.planned} networks are yours so far; the others are kept ones of this project."

    def _mixed(self) -> Tables:
        """The learner's networks, and kept ones in the place of those that are missing."""
        mixed = []
        for step, own, kept in zip(self._steps, self._own(), self._missing_rows(), strict=True):
            named = [own.assign(whose="yours"), kept.assign(whose="kept")]
            table = pd.concat([one for one in named if len(one)] or [named[0]], ignore_index=True)
            table.attrs["data"] = step.study.setting.data
            mixed.append(table)
        return tuple(mixed)

    def _missing_rows(self) -> Tables:
        found = [{(run.label, run.split, run.seed) for run in step.runs} for step in self._finished()]
        return tuple(
            kept[[key not in there for key in zip(kept["run"], kept["split"], kept["seed"], strict=True)]]
            for kept, there in zip(self._kept, found, strict=True)
        )

    def _own_named(self) -> Tables:
        return tuple(table.assign(whose="yours") for table in self._own())

    def _own(self) -> Tables:
        return tuple(
            tabulate([self._sweep.found[step.study.setting, run] for run in step.runs])
            if step.runs
            else pd.DataFrame(columns=list(COLUMNS))
            for step in self._finished()
        )

    def _finished(self) -> tuple[SeriesStep, ...]:
        """The steps with those of their runs that are finished."""
        there = self._sweep.found
        return tuple(
            replace(step, runs=tuple(run for run in step.runs if (step.study.setting, run) in there))
            for step in self._steps
        )

    def _told(self, problem: Exception) -> Exception:
        return StoppedError(self._stopped()) if isinstance(problem, StoppedError) else problem

    def _stopped(self) -> str:
        return self._line.words(self._sweep)


class GrowingSeries(Growing):
    """The same for a series, whose tables are put together from all its steps."""

    def __init__(self, steps: Sequence[SeriesStep], answer: PredictionSliders | None = None) -> None:
        super().__init__(steps, answer)
        self._kept = []

    def _own(self) -> Tables:
        steps = [step for step in self._finished() if step.runs]
        return collect.tabulate_series(steps) if steps else (pd.DataFrame(columns=list(COLUMNS)), pd.DataFrame())

    def _mixed(self) -> Tables:
        return self._own()[:1]

    def _own_named(self) -> Tables:
        return self._own()[:1]

    def _missing_rows(self) -> Tables:
        return ()
