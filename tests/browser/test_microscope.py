"""The microscope as a learner meets it: JupyterLab in a real browser, the keyboard, and the numbers on the page."""

from pathlib import Path
from typing import TYPE_CHECKING

import papermill

from tests.browser.lab import NEEDS_A_BROWSER, ROOT, handle, run_notebook, write_notebook

if TYPE_CHECKING:
    from playwright.sync_api import Page

RESIDUAL = ".microscope-residual"
CELL = """
import numpy as np
from transferkit.gabor import Gabor
from transferkit.widgets import microscope

noise = np.random.default_rng(0).normal(0, 0.01, (6, 3, 9, 9))
planted = np.stack([Gabor(0, 0, 30 * n, 5, 90, 2, 1, 3**-0.5, 3**-0.5, 3**-0.5, 0.1).draw(9) for n in range(6)])
microscope({epoch: noise + epoch / 2 * planted for epoch in range(3)}, "The Gabor microscope")
"""

pytestmark = NEEDS_A_BROWSER


def test_slider_and_sheet_change_the_residual_on_the_page(lab: str, page: "Page", tmp_path: Path) -> None:
    write_notebook(tmp_path / "microscope.ipynb", CELL)
    run_notebook(page, lab.format("microscope.ipynb"), seconds=120)
    use_the_microscope(page)


def test_the_lesson_runs_and_its_microscope_answers(lab: str, page: "Page", tiny_folder: Path, tmp_path: Path) -> None:
    parameters = {"data": str(tiny_folder), "other_data": str(tiny_folder), "preset": "smoke", "noise_filters": 20}
    papermill.execute_notebook(
        ROOT / "notebooks" / "01_first_layer.ipynb",
        tmp_path / "lesson.ipynb",
        parameters=parameters | {"device": "cpu"},
        prepare_only=True,
        progress_bar=False,
    )
    run_notebook(page, lab.format("lesson.ipynb"), seconds=180)
    use_the_microscope(page)


def use_the_microscope(page: "Page") -> None:
    """Move a slider, choose another filter and go back in time by the keyboard: each changes the residual on the page.

    The page holds one microscope with a slider over time.
    """
    residual = page.locator(RESIDUAL)
    residual.wait_for(timeout=60_000)
    residual.scroll_into_view_if_needed()
    told = residual.inner_text()
    assert "RMS" in told
    handle(page, "size (px)").focus()
    for _ in range(30):  # to half the size: a blob feels it too, which no turn of the orientation changes
        page.keyboard.press("ArrowLeft")
    told = _changed(page, told)
    handle(page, "epoch").focus()
    for _ in range(3):  # over the number beside the slider and the filter chosen at the start to the next one
        page.keyboard.press("Tab")
    chosen = page.locator("button:focus:not(.mod-primary)").inner_text()
    page.keyboard.press("Enter")
    told = _changed(page, told)
    page.get_by_text(f"filter {chosen.split()[0]}, epoch").wait_for()
    handle(page, "epoch").focus()
    page.keyboard.press("ArrowLeft")
    _changed(page, told)


def _changed(page: "Page", before: str) -> str:
    """The line of the residual, once it is another than before."""
    page.wait_for_function(
        "([css, before]) => document.querySelector(css).innerText !== before", arg=[RESIDUAL, before], timeout=60_000
    )
    return page.locator(RESIDUAL).inner_text()
