"""The book as files: nothing from the network, every link resolved, every picture described, headings in order."""

import re
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.book.site import Site

pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("default"),  # those of Jupyter are not ours to mend
    pytest.mark.xdist_group("book"),
]
ROOT = Path(__file__).parent.parent.parent
LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "object": "data"}
DESCRIBED = 20  # characters: a file's name without its folder is shorter


@pytest.fixture(params=["tiny_book", "whole_book"])
def site(request: pytest.FixtureRequest) -> Site:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Site)
    return found


def test_nothing_is_loaded_from_the_network(site: Site) -> None:
    for page, soup in site.pages.items():
        for tag, attribute in LOADED.items():
            for element in soup.find_all(tag):
                address = str(element.get(attribute, ""))
                assert not re.match(r"(\w+:)?//", address), f"{page} loads {address}"
                path = unquote(urlsplit(address).path)
                assert not path or (site.folder / page).parent.joinpath(path).exists(), f"{page} misses {address}"
        assert not soup.find_all("script", type="application/vnd.jupyter.widget-state+json")
        imported = re.compile(r"""import\(|from ["']https?:|@import""")
        assert not any(imported.search(script.get_text()) for script in soup.find_all(["script", "style"]))


def test_every_link_leads_somewhere(site: Site) -> None:
    anchors = {page: {str(tag["id"]) for tag in soup.find_all(id=True)} for page, soup in site.pages.items()}
    for page, soup in site.pages.items():
        for link in soup.find_all("a", href=True):
            address = urlsplit(str(link["href"]))
            if address.scheme:
                assert address.scheme in ("http", "https"), f"{page}: {link}"
                assert re.fullmatch(r"[\w.-]+\.\w+", address.netloc), f"{page}: {link}"
                continue
            target = (site.folder / page).parent.joinpath(unquote(address.path)).resolve()
            target = site.folder.resolve() / page if not address.path else target
            assert target.is_file(), f"{page} leads to {address.path}"
            name = str(target.relative_to(site.folder.resolve()))
            assert not address.fragment or unquote(address.fragment) in anchors[name], f"{page} leads to {link['href']}"


def test_every_picture_is_described(site: Site) -> None:
    for page in site.written:
        for image in site.pages[page].find_all("img"):
            alt = str(image.get("alt", ""))
            assert len(alt) > DESCRIBED, f"{page}: {image}"
            assert alt != image["src"]


def test_headings_descend_by_single_steps_from_one_title(site: Site) -> None:
    for page in site.written:
        levels = [int(heading.name[1]) for heading in site.article(page).find_all(re.compile("h[1-6]"))]
        assert levels.count(1) == 1, page
        assert levels[0] == 1, page
        assert all(low - high <= 1 for high, low in pairwise(levels)), f"{page}: {levels}"


def test_figures_keep_their_texts_and_lead_to_their_full_size(tiny_book: Site) -> None:
    image = tiny_book.article("lessons/01_tiny.html").find_all("img")[0]
    assert image["alt"] == 'A line that falls from 1 to 0: "steep" & <straight>'
    assert image.parent is not None
    assert image.parent.name == "a"


def test_a_widget_leaves_a_line_and_a_solution_is_folded(tiny_book: Site) -> None:
    article = tiny_book.article("lessons/01_tiny.html")
    assert "open this lesson in JupyterLab" in article.get_text()
    (details,) = article.find_all("details")
    assert not details.has_attr("open")
    assert [part.get_text() for part in details.find_all("summary")] == ["Solution: fall"]
    assert "return 1 - x" in details.get_text()


def test_formulas_are_mathml(tiny_book: Site) -> None:
    inline, block = tiny_book.article("lessons/01_tiny.html").find_all("math")
    assert inline.find("mfrac")
    assert block["display"] == "block"


def test_a_page_says_how_it_was_executed_with_what_was_given(tiny_book: Site) -> None:
    text = tiny_book.article("lessons/05_other.html").get_text()
    assert "Executed with preset=smoke points=2 on " in text
    assert "smoke 11" in text


def test_a_link_to_a_lesson_that_is_not_in_the_book_is_plain_text(tiny_book: Site) -> None:
    article = tiny_book.article("lessons/01_tiny.html")
    assert "one that is not there" in article.get_text()
    assert [link["href"] for link in article.find_all("a", string="the other")] == ["05_other.html"]


def test_all_lessons_and_pages_are_in_the_contents(whole_book: Site) -> None:
    lessons = {f"lessons/{path.stem}.html" for path in (ROOT / "notebooks").glob("*.ipynb")}
    pages = {f"{path.stem}.html" for path in (ROOT / "course").glob("*.md")} - {"README.html", "index.html"}
    navigation = whole_book.pages["index.html"].select_one("nav.bd-docs-nav")
    assert navigation
    assert {str(link["href"]) for link in navigation.find_all("a", href=True)} >= lessons | pages


def test_the_evidence_is_the_ledger_of_the_results(whole_book: Site) -> None:
    article = whole_book.article("evidence.html")
    assert "Transfer gets worse the more layers are copied." in article.get_text()
    assert len(article.find_all("img")) >= 9
