"""What cells show of a training in the background: pictures that are drawn again, and one line of progress."""

from collections.abc import Callable
from contextlib import suppress
from html import escape
from typing import Any

from course.lesson.background import BackgroundSweep, StoppedError
from course.lesson.prediction_sliders import PredictionSliders
from course.lesson.showing import (
    Bundle,
    Place,
    bundle_of,
    framed,
    in_a_shell,
    progress_bar,
    sentence,
    somebody_is_there,
    this_cell,
)
from course.lesson.widgets import load_ipywidgets
from transferkit.console import clock
from transferkit.errors import TransferkitError

KEPT_ALONE = "Kept networks of this project, not yours: each of yours will replace one."
NOT_YET = "Nothing to draw yet: this fills with the first networks."
FAILED = "This cannot be drawn: {problem}"
ERROR_COLOUR = "#b00020"


class View:
    """One place in a cell's output that is drawn again when there is something new."""

    def __init__(
        self, make: Callable[[], Bundle], answer: PredictionSliders | None, kept: Callable[[], object] | None,
        at_end: Callable[[], bool], words: Callable[[], str],
    ) -> None:  # fmt: skip
        self._make, self._answer, self._kept, self._at_end, self._words = make, answer, kept, at_end, words
        self._place = Place()
        self._cell, self._execution = this_cell()
        if answer is not None and not answer.open:
            answer.when_open(self.draw)

    @property
    def bundle(self) -> Bundle | None:
        """What it shows."""
        return self._place.bundle

    def replaced_by(self, other: "View") -> bool:
        """Whether another one comes from the same cell, run again."""
        return bool(self._cell) and self._cell == other._cell and self._execution != other._execution

    def draw(self) -> None:
        """Show what there is; words frame what is not all the learner's own."""
        self._place.show(self._now())

    def _now(self) -> Bundle:
        if self._answer is not None and not self._answer.open:
            return self._answer.hidden()
        try:
            made = self._make()
        except Exception as problem:  # a draw may need networks that are not there yet
            if not self._at_end():
                return self._before()
            if not somebody_is_there():
                raise
            return sentence(FAILED.format(problem=problem), name="growing-problem")
        words = self._words()
        return framed(made, words) if words else made

    def _before(self) -> Bundle:
        """What stands there before there is anything of the learner's own."""
        with suppress(TransferkitError):  # there are none of these data
            if self._kept is not None:
                return framed(bundle_of(self._kept()), KEPT_ALONE)
        return sentence(NOT_YET, name="growing-waits")


class ProgressLine:
    """One line for all trainings of a cell, with a button that stops and continues where there are widgets."""

    def __init__(self, stop: Callable[[], None], go_on: Callable[[], None]) -> None:
        self._stop, self._go_on = stop, go_on
        self._place = Place()
        self._box: Any = None

    def show(self, sweep: BackgroundSweep) -> None:
        """Tell how far it is; at the end the line alone stays."""
        words, html = self.words(sweep), self._html(sweep)
        if sweep.whole or not (somebody_is_there() and self._widgets()):
            self._box = None
            self._place.show(sentence(words, html=html, name="growing-line"))
            return
        going = not sweep.over.is_set()
        self._text.value = html
        self._button.description, self._button.icon = ("Stop", "pause") if going else ("Go on", "play")

    def words(self, sweep: BackgroundSweep) -> str:
        """How far it is, in a sentence."""
        state = sweep.state
        there = f"{state.done} of {state.planned} networks are there"
        if sweep.whole:
            return f"{there}: all are yours."
        if isinstance(sweep.problem, StoppedError):
            return f"Stopped: {there} and kept. Run the cell of the training again, or press “Go on”, to go on."
        if sweep.problem is not None:
            return f"{there}. {sweep.problem}"
        left = "" if state.seconds_left is None else f", about {clock(state.seconds_left)} (minutes:seconds) to go"
        return f"{there}{left}. Read on meanwhile; the exercises do not wait for them."

    def _html(self, sweep: BackgroundSweep) -> str:
        state, words = sweep.state, escape(self.words(sweep))
        if sweep.problem is not None and not isinstance(sweep.problem, StoppedError):
            return f'<span style="color:{ERROR_COLOUR}">{words}</span>'
        return words if sweep.whole else f"{progress_bar(state.done, state.planned)} {words}"

    def _widgets(self) -> bool:
        """Show the button and the line as widgets, once. Whether there are any."""
        if self._box is None and in_a_shell():
            with suppress(TransferkitError):
                kit = load_ipywidgets("a training in the background")
                self._text = kit.HTML().add_class("growing-line")
                self._button = kit.Button(description="Stop", icon="pause", tooltip="Stop or continue the training")
                self._button.on_click(self._turn)
                layout = kit.Layout(align_items="center", grid_gap="12px")
                self._box = kit.HBox([self._button, self._text], layout=layout)
                words = {"text/plain": "A training in the background, to watch in a notebook that runs."}
                self._place.show((self._box._repr_mimebundle_() | words, {}))
        return self._box is not None

    def _turn(self, _: object) -> None:
        if self._button.description == "Stop":
            self._stop()
        else:
            self._go_on()
