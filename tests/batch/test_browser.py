"""The morning page in a real browser: sorted with the keyboard, unfolded, followed, and as narrow as a phone."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from course.batch.page import write_report
from course.batch.records import NOTEBOOK, PAGE, THUMBNAIL, CellFailure, Record, Usage
from course.batch.tasks import Task

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser: {CHROMIUM} is missing (Debian's package chromium)"),
]


@pytest.fixture
def page() -> Iterator["Page"]:
    """A page of Debian's Chromium that has no network, driven by Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright: install the extra `test`")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page(viewport={"width": 1280, "height": 900}, offline=True)
        browser.close()


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A page of three notebooks: 2 minutes and failed, 10 minutes and done with a figure, 1 minute and died."""
    records = {}
    tasks = []
    for name, minutes in (("a_failed", 2), ("b_done", 10), ("c_died", 1)):
        task = Task(f"/lessons/{name}.ipynb", {"seed": minutes}, "1", "2", str(tmp_path), "/work")
        tasks.append(task)
        task.folder.mkdir(parents=True)
        (task.folder / PAGE).write_text(f"<!DOCTYPE html><title>{name}</title><h1>The notebook {name}</h1>")
        outcome = name[2:]
        record = Record(task.notebook, task.parameters, "1", "2", "done", usage=Usage(60.0 * minutes))
        if outcome != "done":
            failure = CellFailure("ValueError: no", 3, "raise ValueError('no')", "Traceback\n" + "x" * 500)
            record = replace(record, outcome=outcome, failure=failure)  # type: ignore[arg-type]
        files = {NOTEBOOK: "0", PAGE: "0"}
        if outcome == "done":
            Image.new("RGB", (480, 300), "teal").save(picture := io.BytesIO(), "WEBP")
            (task.folder / THUMBNAIL).write_bytes(picture.getvalue())
            files[THUMBNAIL] = "0"
        records[task.name] = replace(record, files=files, alt="A teal field")
    return write_report(tasks, records, tmp_path)


def order(page: "Page") -> list[str]:
    return [name.removesuffix(".ipynb") for name in page.locator("tbody .name").all_inner_texts()]


def sort(page: "Page", header: str, key: str) -> str | None:
    page.get_by_role("button", name=header).focus()
    page.keyboard.press(key)
    return page.get_by_role("columnheader", name=header).get_attribute("aria-sort")


def test_it_is_sorted_with_the_keyboard_and_its_links_lead_on(report: Path, page: "Page") -> None:
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("requestfailed", lambda request: trouble.append(request.url))
    page.goto(report.as_uri())
    assert order(page) == ["a_failed", "c_died", "b_done"]
    assert sort(page, "Minutes", "Enter") == "ascending"
    assert order(page) == ["c_died", "a_failed", "b_done"]
    assert sort(page, "Minutes", "Space") == "descending"
    assert order(page) == ["b_done", "a_failed", "c_died"]
    assert sort(page, "Notebook", "Enter") == "ascending"
    assert order(page) == ["a_failed", "b_done", "c_died"]
    assert page.get_by_role("columnheader", name="Minutes").get_attribute("aria-sort") == "none"
    assert page.get_by_role("status").inner_text() == "Sorted by Notebook, ascending."

    assert not page.get_by_text("raise ValueError").first.is_visible()
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.get_by_text("raise ValueError").first.is_visible()
    assert page.get_by_role("img", name="A teal field").evaluate("picture => picture.naturalWidth") == 480

    page.get_by_role("link", name="Read b_done.ipynb").click()
    page.get_by_role("heading", name="The notebook b_done").wait_for()
    assert not trouble


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_wider_than_the_screen(report: Path, page: "Page", width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(report.as_uri())
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.get_by_role("cell").count() >= 10, "on a phone, too, it is a table to a screen reader"
    assert sort(page, "Minutes", "Enter") == "ascending"
    assert order(page)[0] == "c_died"
