import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image

from transferkit.errors import UsageError
from transferkit.gabor import Gabor, fit_filter
from transferkit.widgets import describe_microscope, microscope, microscope_picture

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # those of ipywidgets' own machinery

GREY = (3**-0.5,) * 3


def history(epochs: int = 3) -> dict[int, np.ndarray]:
    """Four filters in which Gabors of known orientation grow out of noise."""
    noise = np.random.default_rng(0).normal(0, 0.01, (4, 3, 9, 9))
    planted = np.stack([Gabor(0, 0, 40.0 * n, 5, 90, 2, 1, *GREY, 0.1).draw(9) for n in range(4)])
    return {epoch: noise + planted * (epoch + 1) / epochs for epoch in range(epochs)}


def widgets_of(root: Any, kind: str) -> list[Any]:
    """All widgets of one class below a widget, in order."""
    found = [root] if type(root).__name__ == kind else []
    return found + [one for child in getattr(root, "children", ()) for one in widgets_of(child, kind)]


def residual(view: Any) -> float:
    told = [html.value for html in widgets_of(view, "HTML") if "microscope-residual" in html._dom_classes]
    match = re.search(r"([\d.e-]+) \(RMS\)", told[0])
    assert match, told
    return float(match[1])


def slider(view: Any, name: str) -> Any:
    every = widgets_of(view, "FloatSlider") + widgets_of(view, "FloatLogSlider")
    return next(one for one in every if one.description.startswith(name))


def button(view: Any, name: str) -> Any:
    return next(one for one in widgets_of(view, "Button") if one.description.startswith(name))


def test_moving_a_slider_changes_the_residual_and_fit_brings_it_back_to_the_best() -> None:
    weights = history()
    view = microscope(weights)
    button(view, "2").click()
    best = fit_filter(weights[2][2]).residual
    assert residual(view) == pytest.approx(best, rel=0.02)
    slider(view, "orientation").value += 40
    assert residual(view) > 1.5 * best
    button(view, "Fit").click()
    assert residual(view) == pytest.approx(best, rel=0.02)
    assert slider(view, "orientation").value == pytest.approx(80, abs=3)


def test_another_filter_and_another_epoch_show_something_else_while_the_gabor_stays() -> None:
    view = microscope(history())
    button(view, "1").click()
    first, orientation = residual(view), slider(view, "orientation").value
    widgets_of(view, "SelectionSlider")[0].value = 0
    assert residual(view) > 1.2 * first
    assert slider(view, "orientation").value == orientation
    button(view, "3").click()
    assert slider(view, "orientation").value != orientation


def test_without_a_history_there_is_no_slider_over_time() -> None:
    view = microscope(history(epochs=1), "one network")
    assert not widgets_of(view, "SelectionSlider")
    assert residual(view) > 0


def test_every_filter_has_a_button_that_the_keyboard_reaches_and_a_screen_reader_reads() -> None:
    view = microscope(history())
    for number in range(4):
        assert re.match(rf"filter {number}: gabor, R² 0\.\d\d", button(view, str(number)).tooltip)


def test_the_static_picture_is_a_png_and_its_text_tells_the_numbers() -> None:
    with Image.open(io.BytesIO(microscope_picture(history(), 1, "conv1"))) as picture:
        assert picture.format == "PNG"
        assert picture.width > 300
    assert re.search(r"\d", describe_microscope(history(), 1))


def test_an_empty_history_is_refused() -> None:
    with pytest.raises(UsageError):
        microscope({})
