"""The microscope as a learner meets it: on a page alone, in JupyterLab, and in a notebook that is opened again."""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from course.looking import microscope
from tests.browser.lab import NEEDS_A_BROWSER, listen, open_notebook, run_notebook, write_notebook
from transferkit.gabor import Gabor, fit_filters

if TYPE_CHECKING:
    from playwright.sync_api import Page

RESIDUAL = ".microscope-residual"
GREY = 3**-0.5
NOISE = np.random.default_rng(0).normal(0, 0.01, (96, 3, 11, 11))
PLANTED = np.stack([Gabor(0, 0, 2 * n, 6, 90, 2, 1, GREY, GREY, GREY, 0.1).draw(11) for n in range(96)])
HISTORY = {epoch: NOISE + epoch / 2 * PLANTED for epoch in range(3)}
CELL = """
import numpy as np
import transferkit as tk

tk.microscope({epoch: np.random.default_rng(epoch).normal(size=(9, 3, 7, 7)) for epoch in range(3)}, "conv1")
"""
MEASURED = """([label, values]) => {
  const slider = document.querySelector(`input[aria-label="${label}"]`);
  return values.map((value) => {
    const began = performance.now();
    slider.value = value;
    slider.dispatchEvent(new Event("input"));
    return performance.now() - began;
  });
}"""

pytestmark = NEEDS_A_BROWSER


@pytest.fixture
def alone(page: "Page", tmp_path: Path) -> "Page":
    """A page that holds a microscope over 96 filters and nothing else."""
    (tmp_path / "page.html").write_text(f"<meta charset=utf-8>{microscope(HISTORY, 'conv1')._repr_html_()}")
    page.goto((tmp_path / "page.html").as_uri())
    page.locator(RESIDUAL).wait_for()
    return page


def told(page: "Page") -> str:
    return page.locator(RESIDUAL).inner_text()


def slide(page: "Page", label: str, key: str, times: int) -> None:
    for _ in range(times):
        page.get_by_role("slider", name=label).press(key)  # JupyterLab may have taken the focus in between


def test_fit_gives_the_numbers_of_the_library_for_every_filter(alone: "Page") -> None:
    heard = listen(alone)
    for number, fit in list(enumerate(fit_filters(HISTORY[2])))[::7]:
        alone.get_by_role("radio", name=re.compile(f"^{number} ")).click()
        alone.locator("figcaption", has_text=f"filter {number}, epoch 2").wait_for()
        before = told(alone)
        alone.get_by_role("button", name="Fit").click()
        residual, r2, kind = (part.split()[1] for part in told(alone).split(" · "))
        assert float(residual) == pytest.approx(fit.residual, rel=0.01)
        assert (r2, kind) == (f"{fit.r2:.2f}", fit.kind)
        assert before != told(alone), "it opens away from the fit"
    assert not heard


def test_it_is_used_by_the_keyboard_alone(alone: "Page") -> None:
    seen = [told(alone)]
    slide(alone, "size (px)", "ArrowRight", 10)
    seen.append(told(alone))
    slide(alone, "epoch", "ArrowLeft", 1)
    seen.append(told(alone))
    alone.keyboard.press("Tab")  # from the slider over time to the filter that is chosen
    alone.keyboard.press("ArrowRight")
    seen.append(told(alone))
    alone.keyboard.press("Tab")
    assert alone.evaluate("document.activeElement.textContent") == "Fit"
    alone.keyboard.press("Enter")
    seen.append(told(alone))
    assert len(set(seen)) == len(seen)


def test_the_gabor_is_dragged_and_turned_on_the_tile_itself(alone: "Page") -> None:
    box = alone.get_by_role("img", name="Gabor of the sliders").bounding_box()
    assert box

    def value(label: str) -> float:
        return float(alone.get_by_role("slider", name=label).input_value())

    x, y, theta = (value(label) for label in ("x (px)", "y (px)", "orientation (deg)"))
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    alone.mouse.move(*middle)
    alone.mouse.down()
    alone.mouse.move(middle[0] + box["width"] * 2 / 11, middle[1] - box["height"] / 11, steps=4)
    alone.mouse.up()
    assert value("x (px)") - x == pytest.approx(2, abs=0.15)
    assert value("y (px)") - y == pytest.approx(-1, abs=0.15)
    assert value("orientation (deg)") == theta
    alone.keyboard.down("Shift")
    alone.mouse.down()
    alone.mouse.move(middle[0] + box["width"] * 4 / 11, middle[1] + box["height"] / 11, steps=4)
    alone.mouse.up()
    alone.keyboard.up("Shift")
    assert value("orientation (deg)") == pytest.approx(45, abs=2)
    assert value("x (px)") - x == pytest.approx(2, abs=0.15)


def test_a_slider_is_answered_within_50_milliseconds(alone: "Page") -> None:
    moved = alone.evaluate(MEASURED, ["orientation (deg)", list(range(0, 180, 4))])
    turned = alone.evaluate(MEASURED, ["epoch", [0, 1, 2] * 4])
    assert min(moved) < 50, "the fastest: a busy machine holds up the others"
    assert min(turned) < 50


def test_it_fits_beside_the_sidebar_of_a_small_screen(alone: "Page") -> None:
    alone.set_viewport_size({"width": 830, "height": 720})  # 1280 less JupyterLab's sidebar and prompt
    box = alone.locator(".microscope").bounding_box()
    assert box
    assert box["height"] <= 560
    left, right = (alone.locator(f".microscope .{side}").bounding_box() for side in ("left", "right"))
    assert left
    assert right
    assert left["y"] == right["y"], "side by side"


def test_it_answers_in_a_notebook_also_when_that_is_opened_again(lab: str, page: "Page", tmp_path: Path) -> None:
    write_notebook(tmp_path / "lens.ipynb", CELL)
    run_notebook(page, lab.format("lens.ipynb"), seconds=120)
    use(page)
    page.keyboard.press("Control+s")
    end = time.monotonic() + 30
    while "data-microscope" not in (tmp_path / "lens.ipynb").read_text():
        assert time.monotonic() < end, "the notebook is not saved"
        page.wait_for_timeout(200)
    page.goto("about:blank")
    open_notebook(page, lab.format("lens.ipynb"))  # nothing is run
    use(page)


def use(page: "Page") -> None:
    """Move a slider by the keyboard, and let it fit: each changes the residual on the page."""
    page.locator(RESIDUAL).wait_for(timeout=60_000)
    page.locator(RESIDUAL).scroll_into_view_if_needed()
    seen = [told(page)]
    slide(page, "size (px)", "ArrowRight", 10)
    seen.append(told(page))
    page.get_by_role("button", name="Fit", exact=True).click()
    seen.append(told(page))
    assert len(set(seen)) == 3
