"""Prediction first: a slider per place, a picture that follows them, and an answer that outlives the cell."""

from base64 import b64encode
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from course import figures as course_figures
from course.lesson import prediction
from course.lesson.prediction import Prediction, Question
from course.lesson.widgets import html_picture, load_ipywidgets
from transferkit.disk.prepared import find_work_folder
from transferkit.errors import UsageError

WIDTH = 620  # of the picture, CSS pixels


def predict(question: Question, work: Path | None = None) -> "PredictionSliders":
    """Ask for a prediction; shown as the last line of a cell, its `prediction` is read in later cells.

    What is set is kept in the work folder at once, so that the cell can be run again: it then shows what was set,
    and when. Where nobody sets anything, as under papermill, the prediction is the naive one and says so.
    """
    return PredictionSliders(question, work or find_work_folder())


class PredictionSliders:
    """The sliders of one question and the prediction that they stand for; without ipywidgets only a picture."""

    def __init__(self, question: Question, work: Path) -> None:
        self.question, self._work = question, work
        self._prediction = prediction.find(question, work) or prediction.naive(question)

    @property
    def prediction(self) -> Prediction:
        """What is set now."""
        return self._prediction

    def set(self, *values: float) -> None:
        """Set all values, one per place, as moving the sliders does. Raises UsageError for values beyond the ends."""
        asked = self.question
        if wrong := [value for value in values if not asked.low <= value <= asked.high]:
            raise UsageError(f"{wrong[0]:g} is no answer: choose from {asked.low:g} to {asked.high:g} {asked.unit}.")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._prediction = replace(self._prediction, values=values, when=now)
        prediction.keep(self._prediction, self._work)

    def forget(self) -> None:
        """Put everything back to the start, and delete what was kept."""
        prediction.forget(self.question, self._work)
        self._prediction = prediction.naive(self.question)

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

    def build(self) -> Any:
        kit, box = self.kit, self.kit.Layout
        again = kit.Button(
            description="Start again", tooltip="Put every slider back and forget what was set", icon="undo"
        )
        again.on_click(self.reset)
        self.place()
        column = kit.VBox([*self.sliders, again], layout=box(width="330px"))
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

    def reset(self, _: object) -> None:
        """Forget what was set."""
        self.answer.forget()
        self.place()

    def draw(self) -> None:
        """Show the curve, and whether it is kept."""
        shown = self.answer.prediction
        drawn = course_figures.prediction(shown).png()
        self.picture.value = html_picture(drawn.png, drawn.alt, f'width="{WIDTH}"')
        self.told.value = escape(
            f"Kept, as set on {shown.when[:16].replace('T', ' at ')} UTC, also when this cell is run again."
            if shown.made
            else "Nothing is set yet. Move a slider by mouse, or with the Tab and arrow keys."
        )

    def _slider(self, place: str) -> Any:
        asked = self.answer.question
        slider = self.kit.FloatSlider(
            min=asked.low, max=asked.high, step=asked.step, description=place, readout_format=".0f"
        )
        slider.layout.width, slider.style.description_width = "320px", "80px"
        return slider
