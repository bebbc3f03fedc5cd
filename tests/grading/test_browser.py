"""The page about a class in a real browser: sorted with the keyboard, unfolded, and as narrow as a phone."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from course.exercises import exercises
from course.grading.page import write_grades
from tests.batch.test_browser import CHROMIUM, FLAGS
from tests.grading.test_page import CLASS

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser: {CHROMIUM} is missing (Debian's package chromium)"),
]


@pytest.fixture
def page(tmp_path: Path) -> Iterator["Page"]:
    """The page of a small class, opened without a network."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright: install the extra `test`")
    path = write_grades([(one,) for one in CLASS], exercises("04")[:1], tmp_path)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        opened = browser.new_page(viewport={"width": 1280, "height": 900}, offline=True)
        opened.goto(path.as_uri())
        yield opened
        browser.close()


def test_both_tables_are_sorted_with_the_keyboard_on_their_own(page: "Page") -> None:
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    stuck, students = page.get_by_role("table").all()
    names = students.locator("tbody .name")
    before = stuck.locator("tbody .name").all_inner_texts()
    students.get_by_role("button", name="Points").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert names.all_inner_texts()[0] == "ada"
    assert students.get_by_role("columnheader", name="Points").get_attribute("aria-sort") == "descending"
    assert stuck.get_by_role("columnheader", name="Students").get_attribute("aria-sort") == "descending"
    assert stuck.locator("tbody .name").all_inner_texts() == before
    assert page.get_by_role("status").inner_text() == "Sorted by Points, descending."
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details[open]").count() == 1
    assert not trouble


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_nothing_is_wider_than_the_screen(page: "Page", width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
