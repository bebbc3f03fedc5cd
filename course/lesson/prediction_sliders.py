"""Prediction first: a slider per place, a picture that follows them, a lock, and an answer that outlives the cell."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from course import figures as course_figures
from course.figures.prediction import in_words
from course.lesson import prediction
from course.lesson.prediction import Prediction, Question, Revealed
from course.lesson.prediction_sketch import sketch
from course.lesson.showing import Bundle, Place, bundle_of, sentence, somebody_is_there
from course.lesson.widgets import load_ipywidgets
from transferkit.disk.prepared import find_work_folder
from transferkit.disk.store import Receipt
from transferkit.errors import UsageError

WIDTH = 620  # of the picture, CSS pixels
HIDDEN = "Hidden until you press “Lock it and see” under your prediction: “{title}”."


def predict(question: Question, work: Path | None = None) -> "PredictionSliders":
    """Ask for a prediction; shown as the last line of a cell, its `prediction` is read in later cells.

    What is set is kept in the work folder at once, so that the cell can be run again: it then shows what was set,
    and when. Results that belong to it are hidden until it is locked. Where nobody sets anything, as under papermill,
    the prediction is the naive one and says so, and nothing is hidden.
    """
    return PredictionSliders(question, work or find_work_folder())


class PredictionSliders:
    """The sliders of one question and the prediction that they stand for; without ipywidgets only a picture."""

    def __init__(self, question: Question, work: Path) -> None:
        self.question, self._work = question, work
        self._prediction = prediction.find(question, work) or prediction.naive(question)
        self._waiting: list[Callable[[], object]] = []

    @property
    def prediction(self) -> Prediction:
        """What is set now."""
        return self._prediction

    @property
    def open(self) -> bool:
        """Whether results may be shown: it is locked, or nobody is there to predict anything."""
        return not somebody_is_there() or bool((prediction.find(self.question, self._work) or self.prediction).locked)

    def set(self, *values: float) -> None:
        """Set all values, one per place, as moving the sliders does. Raises UsageError for values beyond the ends.

        One that is locked cannot be set: UsageError.
        """
        asked = self.question
        if self._prediction.locked:
            raise UsageError(f"your prediction '{asked.name}' is locked: press 'Start again' to make another.")
        if wrong := [value for value in values if not asked.low <= value <= asked.high]:
            raise UsageError(f"{wrong[0]:g} is no answer: choose from {asked.low:g} to {asked.high:g} {asked.unit}.")
        self._prediction = replace(self._prediction, values=values, when=_now())
        prediction.keep(self._prediction, self._work)

    def lock(self) -> None:
        """Give the prediction for good, as it stands: what was hidden until now shows itself."""
        if not self._prediction.locked:
            self._prediction = replace(self._prediction, locked=_now())
            prediction.keep(self._prediction, self._work)
        for show in self._waiting:
            show()

    def when_open(self, show: Callable[[], object]) -> None:
        """Call this when the prediction is locked."""
        self._waiting.append(show)

    def forget(self) -> None:
        """Put everything back to the start, and delete what was kept."""
        prediction.forget(self.question, self._work)
        self._prediction = prediction.naive(self.question)

    def reveal(self, came: Sequence[float], receipts: Sequence[Receipt] = ()) -> None:
        """Show the prediction beside what came out, one value per place, as soon as it is locked.

        `receipts` are of the networks that the result comes from: a prediction that was set after these were trained
        says so. NaN stands for a place that has no result yet. Raises UsageError for another number of values.
        """
        prediction.score(self.prediction, came)
        self._show_when_open(lambda: self.result(came, receipts))

    def show(self, make: Callable[[], object]) -> None:
        """Show what `make()` returns, anything that a cell can show, as soon as the prediction is locked."""
        self._show_when_open(lambda: bundle_of(make()))

    def _show_when_open(self, bundle: Callable[[], Bundle]) -> None:
        place = Place()

        def show() -> None:
            place.show(bundle() if self.open else self.hidden())

        show()
        if not self.open:
            self.when_open(show)

    def result(self, came: Sequence[float], receipts: Sequence[Receipt] = ()) -> Bundle:
        """The picture of the prediction beside what came out; a whole result is kept for `course.record`."""
        said = self.prediction
        late = prediction.lateness(said, [receipt.times.finished for receipt in receipts])
        values = tuple(float(value) for value in came)
        if said.made and prediction.is_whole(values):
            prediction.keep_revealed(Revealed(said, values, late), self._work)
        return bundle_of(course_figures.prediction(said, values, late))

    def hidden(self) -> Bundle:
        """What stands in the place of a result until then."""
        return sentence(HIDDEN.format(title=self.question.title), name="prediction-hidden")

    @cached_property
    def view(self) -> Any:
        """The sliders and the picture as one widget. Raises UsageError where ipywidgets is not installed."""
        return _View(self).build()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The widget, and the same as a picture with its alternative text for pages where no kernel runs."""
        drawn = course_figures.prediction(self._prediction).png()
        data: dict[str, Any] = {"image/png": b64encode(drawn.png).decode()}
        with suppress(UsageError):
            data |= self.view._repr_mimebundle_(**kwargs)
        return data | {"text/plain": drawn.alt}, {"image/png": {"alt": drawn.alt, "width": WIDTH}}


class _View:
    """The widgets; every action of the user ends in one call of `draw`."""

    def __init__(self, answer: PredictionSliders) -> None:
        self.kit = load_ipywidgets("the prediction")
        self.answer = answer
        self.picture, self.told = self.kit.HTML(), self.kit.HTML().add_class("prediction-told")
        self.sliders = [self._slider(place) for place in answer.question.places]
        self.locking = self._button("Lock it and see", "Give this prediction for good; then results show", "lock")
        self.again = self._button("Start again", "Put every slider back and forget what was set", "undo")

    def build(self) -> Any:
        kit, box = self.kit, self.kit.Layout
        self.locking.on_click(self.lock)
        self.again.on_click(self.reset)
        self.place()
        buttons = kit.HBox([self.locking, self.again])
        column = kit.VBox([*self.sliders, buttons], layout=box(width="330px"))
        body = kit.HBox([column, self.picture], layout=box(flex_flow="row wrap", grid_gap="8px 12px"))
        return kit.VBox([kit.HTML(f"<b>{escape(self.answer.question.title)}</b>"), body, self.told])

    def place(self) -> None:
        """Move the sliders to the prediction without taking that for the user's doing, and draw once."""
        for slider, value in zip(self.sliders, self.answer.prediction.values, strict=True):
            slider.unobserve(self.change, "value")
            slider.value = slider.min + slider.step * round((value - slider.min) / slider.step)
            slider.observe(self.change, "value")
        self.draw()

    def change(self, _: object) -> None:
        """Take over what the sliders say."""
        self.answer.set(*(float(slider.value) for slider in self.sliders))
        self.draw()

    def lock(self, _: object) -> None:
        """Give the prediction for good."""
        self.answer.lock()
        self.draw()

    def reset(self, _: object) -> None:
        """Forget what was set."""
        self.answer.forget()
        self.place()

    def draw(self) -> None:
        """Show the curve, and whether it is kept and locked."""
        shown = self.answer.prediction
        self.picture.value = sketch(shown, in_words(shown))
        self.told.value = escape(_told(shown))
        for part in (*self.sliders, self.locking):
            part.disabled = bool(shown.locked)

    def _slider(self, place: str) -> Any:
        asked = self.answer.question
        slider = self.kit.FloatSlider(
            min=asked.low, max=asked.high, step=asked.step, description=place, readout_format=".0f"
        )
        slider.layout.width, slider.style.description_width = "320px", "80px"
        return slider

    def _button(self, words: str, tooltip: str, icon: str) -> Any:
        return self.kit.Button(description=words, tooltip=tooltip, icon=icon)


def _told(shown: Prediction) -> str:
    when = shown.when[:16].replace("T", " at ")
    if shown.locked and not shown.made:
        return "Locked without a prediction: results are shown."
    if shown.locked:
        return f"Locked; kept, as set on {when} UTC. Results are shown beside it."
    if shown.made:
        return f"Kept, as set on {when} UTC, also when this cell is run again. Results are hidden until you lock it."
    return "Nothing is set yet. Move a slider by mouse, or with the Tab and arrow keys; then lock it to see results."


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
