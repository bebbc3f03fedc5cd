"""Lessons as a learner opens them: all cells by the menu, the prediction set, nothing on the console."""

from pathlib import Path
from typing import TYPE_CHECKING

import papermill

from tests.browser.lab import NEEDS_A_BROWSER, ROOT, handle, listen, run_notebook

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = NEEDS_A_BROWSER


def run_lesson(page: "Page", lab: str, name: str, data: Path, folder: Path) -> None:
    """Open a lesson of this data at the smoke preset in JupyterLab, and run all its cells."""
    papermill.execute_notebook(
        ROOT / "notebooks" / f"{name}.ipynb",
        folder / "lesson.ipynb",
        parameters={"data": str(data), "preset": "smoke", "device": "cpu"},
        prepare_only=True,
        progress_bar=False,
    )
    run_notebook(page, lab.format("lesson.ipynb"), seconds=240)


def set_prediction(page: "Page", place: str) -> None:
    """Move a slider of a prediction by the keyboard."""
    handle(page, place).focus()
    page.keyboard.press("ArrowRight")
    page.locator(".prediction-told", has_text="Kept, as set on").wait_for()


def test_the_first_lesson_trains_before_the_eyes_and_takes_a_prediction(
    lab: str, page: "Page", tiny_folder: Path, tmp_path: Path
) -> None:
    heard = listen(page)
    run_lesson(page, lab, "00_start_here", tiny_folder, tmp_path)
    page.locator(".live-state", has_text="Trained and kept").wait_for()
    set_prediction(page, "epoch 2")
    assert not heard


def test_the_lesson_runs_and_its_exercises_wait(lab: str, page: "Page", tiny_folder: Path, tmp_path: Path) -> None:
    heard = listen(page)
    run_lesson(page, lab, "05_figure2", tiny_folder, tmp_path)
    set_prediction(page, "n = 7")
    page.screenshot(path=tmp_path / "lesson.png")
    assert page.get_by_role("status").filter(has_text="not begun").count() == 3
    pictures = page.locator(".jp-OutputArea-output img").all()
    assert pictures
    assert all(picture.get_attribute("alt") for picture in pictures)
    assert not heard
