"""The book in a real browser without a network: on a phone nothing scrolls sideways, and the keyboard is seen."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.book.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
HIDDEN_CODE = """Array.from(document.querySelectorAll('div.cell_input pre'))
    .filter(code => code.scrollWidth > code.clientWidth + 1).map(code => code.innerText)"""
KNOWN = "Got invalid theme mode"  # the theme's own, on the first page that a browser sees

pytestmark = [
    pytest.mark.long,
    pytest.mark.xdist_group("book"),
    pytest.mark.filterwarnings("default"),
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


def test_neither_pages_nor_code_scroll_sideways(tiny_book: Site, whole_book: Site, page: "Page") -> None:
    for site in (tiny_book, whole_book):
        for name in site.written:
            page.goto((site.folder / name).as_uri())
            for width in (320, 390, 768, 1280):
                page.set_viewport_size({"width": width, "height": 800})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
                assert page.evaluate(HIDDEN_CODE) == [], (name, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_dark_page_drawings_are_dark(tiny_book: Site, page: "Page", scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto((tiny_book.folder / "lessons" / "01_tiny.html").as_uri())
    drawing = page.locator("img.drawing").first
    assert drawing.evaluate("image => getComputedStyle(image).filter.includes('invert')") is (scheme == "dark")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_marker_says_what_it_is_under_the_pointer(tiny_book: Site, page: "Page", width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto((tiny_book.folder / "lessons" / "01_tiny.html").as_uri())
    marker, picture = page.locator(".labelled > span").nth(1), page.locator(".labelled img")
    marker.scroll_into_view_if_needed()
    marker.hover()
    words = marker.evaluate("point => getComputedStyle(point, '::after').content")
    assert words == '"A4B: 88.2 % & more"'
    place, whole = marker.bounding_box(), picture.bounding_box()
    assert place is not None
    assert whole is not None
    across = (place["x"] + place["width"] / 2 - whole["x"]) / whole["width"]
    down = (place["y"] + place["height"] / 2 - whole["y"]) / whole["height"]
    assert (across, down) == pytest.approx((0.51, 0.16), abs=0.03), "the highest of the three markers, in the middle"


def test_letters_of_a_picture_can_be_read_on_a_phone(tiny_book: Site, page: "Page") -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto((tiny_book.folder / "lessons" / "01_tiny.html").as_uri())
    drawing = page.locator("img.drawing").first
    assert drawing.evaluate("image => image.getBoundingClientRect().width") > 500
    assert drawing.evaluate("image => image.closest('div.cell_output').scrollWidth") > 500


def test_nothing_is_missed_or_asked_of_the_network(tiny_book: Site, page: "Page") -> None:
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text) if message.type in ("error", "warning") else None)
    page.on("requestfailed", lambda request: trouble.append(request.url))
    page.on("request", lambda request: None if request.url.startswith("file:") else trouble.append(request.url))
    for name in tiny_book.pages:
        page.goto((tiny_book.folder / name).as_uri())
        page.wait_for_load_state()
    assert not [text for text in trouble if KNOWN not in text and not text.startswith("data:")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_where_the_keyboard_is_can_be_seen(tiny_book: Site, page: "Page", scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto((tiny_book.folder / "lessons" / "01_tiny.html").as_uri())
    seen = set()
    for _ in range(25):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and focused.is_visible():
            style, width = focused.evaluate("e => [getComputedStyle(e).outlineStyle, getComputedStyle(e).outlineWidth]")
            assert style != "none", focused.evaluate("e => e.outerHTML")
            assert float(width.removesuffix("px")) >= 2
            seen.add(focused.evaluate("e => e.tagName + e.innerText"))
    assert len(seen) > 10


def test_a_solution_is_unfolded_by_the_keyboard(tiny_book: Site, page: "Page") -> None:
    page.goto((tiny_book.folder / "lessons" / "01_tiny.html").as_uri())
    assert not page.get_by_text("return 1 - x").is_visible()
    page.locator("summary", has_text="Solution: fall").focus()
    page.keyboard.press("Enter")
    assert page.get_by_text("return 1 - x").is_visible()


def test_a_formula_is_seen_from_its_start_on_a_phone(tiny_book: Site, page: "Page") -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto((tiny_book.folder / "lessons" / "01_tiny.html").as_uri())
    block = page.locator("math[display=block]")
    assert (
        block.evaluate("math => math.getBoundingClientRect().left - math.parentElement.getBoundingClientRect().left")
        >= 0
    )


def test_the_microscope_works_in_the_book_without_a_kernel(tiny_book: Site, page: "Page") -> None:
    page.goto((tiny_book.folder / "lessons" / "01_tiny.html").as_uri())
    residual = page.locator(".microscope-residual")
    before = residual.inner_text()
    page.get_by_role("slider", name="size (px)").focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    moved = residual.inner_text()
    page.get_by_role("button", name="Fit", exact=True).click()
    assert len({before, moved, residual.inner_text()}) == 3
