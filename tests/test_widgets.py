"""The microscope without a browser: the sliders, buttons and epochs are moved in Python, as the page moves them."""

import io
import re
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from course.figures.microscope import microscope_picture
from transferkit.errors import UsageError
from transferkit.gabor import Gabor, fit_filter
from transferkit.widgets import microscope

pytest.importorskip("ipywidgets", reason="no ipywidgets: install the extra `lessons`")

GREY = 3**-0.5


def history(epochs: int = 3) -> dict[int, np.ndarray]:
    """Six upright to slanting Gabors of 9 x 9 that grow out of noise, and a red blob."""
    noise = np.random.default_rng(0).normal(0, 0.005, (7, 3, 9, 9))
    waves = [Gabor(0, 0, 25 * n, 5, 90, 2, 1, GREY, GREY, GREY, 0.1).draw(9) for n in range(6)]
    planted = np.stack([*waves, Gabor(0, 0, 0, 60, 0, 2, 1, 1, 0, 0, 0.1).draw(9)])
    return {epoch: (noise + epoch / 2 * planted).astype(np.float32) for epoch in range(3)[-epochs:]}


class Page:
    """Finds the parts of a microscope by what stands on them."""

    def __init__(self, weights: dict[int, np.ndarray]) -> None:
        self.parts = list(_parts(microscope(weights, "a < b")))

    def labelled(self, start: str) -> Any:
        return next(part for part in self.parts if str(getattr(part, "description", "")).startswith(start))

    def choose(self, number: int) -> None:
        self.labelled(f"{number} ").click()

    @property
    def line(self) -> Any:
        return next(part for part in self.parts if "microscope-residual" in part._dom_classes)

    @property
    def residual(self) -> float:
        found = re.search(r"residual ([\d.e-]+) \(RMS\)", self.line.value)
        assert found is not None
        return float(found[1])

    @property
    def shown(self) -> str:
        return next(str(part.value) for part in self.parts if "<figure" in str(getattr(part, "value", "")))

    @property
    def sheet(self) -> list[str]:
        return [part.value for part in self.parts if str(getattr(part, "value", "")).startswith("<img")]


def _parts(widget: Any) -> Any:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _parts(child)


def test_choosing_a_filter_starts_from_its_fit_and_tells_its_kind() -> None:
    page, weights = Page(history()), history()[2]
    for number in (1, 6):
        page.choose(number)
        fit = fit_filter(weights[number])
        assert page.residual == pytest.approx(fit.residual, rel=0.01)
        assert f"R² {fit.r2:.2f} · kind {fit.kind}" in page.line.value
        assert f"filter {number}, epoch 2" in page.shown
        assert page.labelled(f"{number} ").button_style == "primary"
    assert page.labelled("1 ").button_style == ""
    assert page.labelled("1 ").description == "1 G"
    assert page.labelled("6 ").description == "6 C"


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("orientation", 120), ("wavelength", 3), ("size", 1), ("aspect", 3), ("phase", 10), ("x (px)", 2),
        ("y (px)", 2), ("amplitude", 0.01), ("red", -1), ("green", -1), ("blue", -1),
    ],
)  # fmt: skip
def test_every_slider_changes_the_residual_and_fit_brings_it_back(label: str, value: float) -> None:
    page = Page(history())
    page.choose(1)
    best, before = page.residual, page.shown
    page.labelled(label).value = value
    assert page.residual > 1.01 * best
    assert page.shown != before
    page.labelled("Fit").click()
    assert page.residual == pytest.approx(best, rel=0.001)
    assert page.shown == before


def test_without_colour_all_of_the_filter_is_left() -> None:
    page = Page(history())
    page.choose(1)
    for colour in ("red", "green", "blue"):
        page.labelled(colour).value = 0
    assert page.residual == pytest.approx(float(np.sqrt(np.square(history()[2][1]).mean())), rel=0.01)
    assert "R² 0.00" in page.line.value


def test_the_epoch_changes_filters_but_not_the_sliders_until_fit_is_pressed() -> None:
    page, weights = Page(history()), history()
    page.choose(2)
    orientation, sheet, residual = page.labelled("orientation").value, page.sheet, page.residual
    assert len(sheet) == 7
    page.labelled("epoch").value = 0
    assert all(now != then for now, then in zip(page.sheet, sheet, strict=True))
    assert "filter 2, epoch 0" in page.shown
    assert page.labelled("orientation").value == orientation
    assert page.residual > 2 * residual
    page.labelled("Fit").click()
    assert page.residual == pytest.approx(fit_filter(weights[0][2]).residual, rel=0.01)


def test_every_action_draws_once_and_within_50_milliseconds() -> None:
    weights = {epoch: np.tile(conv1, (14, 1, 1, 1))[:96] for epoch, conv1 in history().items()}
    page = Page(weights)
    drawn: list[object] = []
    for part in page.parts:
        if "<figure" in str(getattr(part, "value", "")):
            part.observe(drawn.append, "value")
    actions: tuple[Callable[[], object], ...] = (
        lambda: page.choose(3),
        lambda: setattr(page.labelled("orientation"), "value", 120),
        lambda: page.labelled("Fit").click(),
        lambda: setattr(page.labelled("epoch"), "value", 1),
        lambda: setattr(page.labelled("phase"), "value", 7),
    )
    seconds = []
    for count, action in enumerate(actions, start=1):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
        assert len(drawn) == count
    assert sorted(seconds)[len(seconds) // 2] < 0.05, "the median: a busy machine may hold up one"


def test_a_single_epoch_has_no_slider_over_time() -> None:
    page = Page(history(epochs=1))
    assert not [part for part in page.parts if getattr(part, "description", "") == "epoch"]
    page.choose(3)
    assert page.residual == pytest.approx(fit_filter(history()[2][3]).residual, rel=0.01)


def test_a_filter_of_zeros_can_be_looked_at() -> None:
    page = Page({0: np.zeros((2, 3, 9, 9), np.float32)})
    assert "R² 0.00 · kind neither" in page.line.value


def test_every_picture_has_an_alternative_text_and_the_title_is_text() -> None:
    page = Page(history())
    assert sorted(re.findall(r'alt="(.*?)"', " ".join(page.sheet))) == [f"filter {n} at epoch 2" for n in range(7)]
    assert 'alt="Gabor: orientation' in page.shown
    assert 'alt="what is left: 0.' in page.shown
    assert any("a &lt; b" in str(getattr(part, "value", "")) for part in page.parts)


def test_the_picture_shows_filter_fit_and_rest_with_the_numbers_in_its_description() -> None:
    weights = history()
    drawn = microscope_picture(weights, 1)
    picture = Image.open(io.BytesIO(drawn.png().png))
    assert picture.size == (1400, 600)
    described, fit = drawn.alt, fit_filter(weights[2][1])
    assert picture.info["Description"] == described
    assert f"R² {fit.r2:.2f} · kind gabor" in described
    assert f"orientation {fit.gabor.theta_deg:.0f}°, wavelength {fit.gabor.wavelength_px:.1f} px" in described


def test_what_is_no_film_and_filters_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UsageError, match="one epoch or more"):
        microscope({})
    with pytest.raises(UsageError, match="one shape"):
        microscope({0: np.ones((2, 3, 9, 9)), 1: np.ones((3, 3, 9, 9))})
    for number in (-1, 7):
        with pytest.raises(UsageError, match="0 to 6"):
            microscope_picture(history(), number)


def test_the_library_imports_without_ipywidgets_and_the_view_says_what_is_missing() -> None:
    script = (
        "import sys; sys.modules['ipywidgets'] = None\n"
        "import numpy as np\n"
        "from course.figures.microscope import microscope_picture\n"
        "from transferkit.widgets import microscope\n"
        "film = {0: np.ones((1, 3, 9, 9))}\n"
        "assert microscope_picture(film, 0)\n"
        "try: microscope(film)\n"
        "except ValueError as error: assert 'lessons' in str(error)\n"
        "else: raise SystemExit('no error')\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
