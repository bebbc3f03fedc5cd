"""A prediction as a learner makes it: sliders by mouse and keyboard, the picture that follows, the cell run again."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.lab import NEEDS_A_BROWSER, handle, listen, run_again, run_notebook, write_notebook

if TYPE_CHECKING:
    from playwright.sync_api import Page

CELLS = (
    """
import course

places = tuple(f"n={n}" for n in range(1, 8))
question = course.Question("browser", "AnB: what do you expect?", places, low=-40, high=10)
answer = course.predict(question)
answer
""",
    """
print("read:", answer.prediction.values)
answer.reveal([3, 2, 0, -3, -8, -11, -15])
""",
)
TOLD, RESULT = ".prediction-told", "img[alt*='expected and what came out']"

pytestmark = NEEDS_A_BROWSER


def test_sliders_are_moved_kept_read_and_scored(lab: str, page: "Page", tmp_path: Path) -> None:
    heard = listen(page)
    write_notebook(tmp_path / "prediction.ipynb", *CELLS)
    run_notebook(page, lab.format("prediction.ipynb"), seconds=120)
    assert "Nothing is set yet" in page.locator(TOLD).inner_text()
    assert "Hidden until you press" in result(page)

    handle(page, "n=7").focus()
    for _ in range(12):
        page.keyboard.press("ArrowLeft")
    page.locator(TOLD, has_text="Kept, as set on").wait_for()
    page.locator("svg[aria-label*='n=7 -12']").wait_for()
    by_mouse(page, "n=6", to=0.5)
    page.locator("svg[aria-label*='n=6 -15']").wait_for()
    page.screenshot(path=tmp_path / "prediction.png")

    run_again(page, cell=0)
    assert "Kept, as set on" in page.locator(TOLD).inner_text(), "what was set is not lost"
    run_again(page, cell=1)
    assert "Hidden until you press" in result(page), "setting is not locking"
    page.get_by_role("button", name="Lock it and see").click()
    page.locator(RESULT).wait_for()
    shown = page.locator(RESULT).get_attribute("alt") or ""
    assert "n=6 -15 and -11 and n=7 -12 and -15" in shown
    assert "your prediction beats it" in shown
    page.get_by_text(re.compile(r"-15\.0, -12\.0\)")).wait_for()

    page.get_by_role("button", name="Start again").click()
    page.locator(TOLD, has_text="Nothing is set yet").wait_for()
    run_again(page, cell=1)
    page.get_by_text(re.compile(r"0\.0, 0\.0\)")).wait_for()
    assert "Hidden until you press" in result(page)
    assert not heard


def result(page: "Page") -> str:
    """What the second cell printed and showed."""
    return page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea").first.inner_text()


def by_mouse(page: "Page", label: str, to: float) -> None:
    """Drag a slider's handle to this share of its track."""
    track = page.locator(".widget-hslider", has_text=label).locator(".noUi-base").bounding_box()
    start = handle(page, label).bounding_box()
    assert track is not None
    assert start is not None
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(track["x"] + to * track["width"], track["y"] + track["height"] / 2, steps=8)
    page.mouse.up()
