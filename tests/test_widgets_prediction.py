"""The sliders of a prediction without a browser: moved in Python, as the page moves them."""

from base64 import b64decode
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.lesson.prediction import Prediction, Question
from course.lesson.prediction_sketch import HEIGHT, sketch
from course.lesson.prediction_sliders import PredictionSliders, predict
from transferkit.errors import UsageError

pytest.importorskip("ipywidgets", reason="no ipywidgets: install the extra `lessons`")

ASKED = Question("asked", "a < b?", ("n=1", "n=2"), low=-40, high=10, naive=2.4)


def parts(answer: PredictionSliders) -> list[Any]:
    def walk(widget: Any) -> Any:
        yield widget
        for child in getattr(widget, "children", ()):
            yield from walk(child)

    return list(walk(answer.view))


def labelled(answer: PredictionSliders, description: str) -> Any:
    return next(part for part in parts(answer) if getattr(part, "description", "") == description)


def told(answer: PredictionSliders) -> str:
    return str(next(part.value for part in parts(answer) if "prediction-told" in part._dom_classes))


def shown(answer: PredictionSliders) -> str:
    return next(str(part.value) for part in parts(answer) if "<svg" in str(getattr(part, "value", "")))


def test_nothing_is_set_until_a_slider_moves_and_then_it_is_kept_at_once(tmp_path: Path) -> None:
    answer = predict(ASKED, tmp_path)
    assert not answer.prediction.made
    assert answer.prediction.values == (2.4, 2.4)
    assert "Nothing is set yet" in told(answer)
    labelled(answer, "n=2").value = -10
    assert answer.prediction.values == (2.0, -10.0), "where the sliders stand"
    assert "Kept, as set on" in told(answer)
    assert "n=2 -10" in shown(answer)


def test_the_cell_run_again_shows_what_was_set_and_start_again_forgets_it(tmp_path: Path) -> None:
    labelled(predict(ASKED, tmp_path), "n=1").value = 5
    again = predict(ASKED, tmp_path)
    kept = again.prediction
    assert kept.made
    assert kept.values[0] == 5
    assert labelled(again, "n=1").value == 5
    assert "Kept, as set on" in told(again)
    labelled(again, "Start again").click()
    assert not again.prediction.made
    assert not predict(ASKED, tmp_path).prediction.made


def test_a_page_without_a_kernel_gets_a_picture_with_its_alternative_text(tmp_path: Path) -> None:
    data, metadata = predict(ASKED, tmp_path)._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert "Nothing set yet" in metadata["image/png"]["alt"]
    assert 'aria-label="a &lt; b? Nothing set yet' in shown(predict(ASKED, tmp_path))
    assert "a &lt; b?" in str([getattr(part, "value", "") for part in parts(predict(ASKED, tmp_path))])


def test_it_is_locked_for_good_until_it_is_begun_again(tmp_path: Path) -> None:
    answer = predict(ASKED, tmp_path)
    labelled(answer, "n=2").value = -10
    assert "hidden until you lock it" in told(answer)
    labelled(answer, "Lock it and see").click()
    assert "Locked; kept, as set on" in told(answer)
    assert labelled(answer, "n=1").disabled
    assert predict(ASKED, tmp_path).prediction.locked, "also when the cell is run again"
    with pytest.raises(UsageError, match="'asked' is locked: press 'Start again'"):
        answer.set(1, 1)
    labelled(answer, "Start again").click()
    assert not labelled(answer, "n=1").disabled
    answer.set(1, 1)


def test_one_who_predicts_nothing_may_lock_that_too(tmp_path: Path) -> None:
    answer = predict(ASKED, tmp_path)
    labelled(answer, "Lock it and see").click()
    assert "Locked without a prediction" in told(answer)


@given(st.lists(st.floats(-40, 10, allow_subnormal=False), min_size=2, max_size=2))
def test_the_drawing_has_every_value_at_its_height(values: list[float]) -> None:
    drawn = ElementTree.fromstring(sketch(Prediction(ASKED, tuple(values), "now"), "a & b"))
    assert drawn.get("aria-label") == "a & b"
    heights = [float(mark.get("y", "nan")) for mark in drawn.iter("rect")]
    assert len(heights) == 2
    assert (heights[0] < heights[1]) == (values[0] > values[1]) or abs(values[0] - values[1]) < 0.1
    assert all(0 <= height <= HEIGHT for height in heights)


def test_values_beyond_the_ends_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="11 is no answer: choose from -40 to 10"):
        predict(ASKED, tmp_path).set(11, 0)
