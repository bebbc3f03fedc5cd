"""The sliders of a prediction without a browser: moved in Python, as the page moves them."""

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from course.lesson.prediction import Question
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
    return next(str(part.value) for part in parts(answer) if "<img" in str(getattr(part, "value", "")))


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
    assert "a &lt; b?" in str([getattr(part, "value", "") for part in parts(predict(ASKED, tmp_path))])


def test_values_beyond_the_ends_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="11 is no answer: choose from -40 to 10"):
        predict(ASKED, tmp_path).set(11, 0)
