"""Tables in a notebook are HTML that wraps: every cell is there, nothing is drawn with box characters."""

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter
from rich.markup import escape
from rich.table import Column, Table

from course.evidence import claims_table, conclusion
from course.evidence.claims import Evidence, authors_evidence, ledger
from course.evidence.show import NO_CONCLUSION, further
from course.tables import show_as_html, to_html

BOX = re.compile("[\u2500-\u257f]")
SIGNS = st.characters(codec="utf-8", categories=("L", "N", "P", "S"), exclude_characters="\\")
words = st.text(SIGNS, max_size=12)  # without backslashes, which rich's own escape doubles at the end of a text
grids = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(words, min_size=width, max_size=width), min_size=1, max_size=5)
)


def cells(html: str, tag: str = "td") -> list[str]:
    found = re.findall(f"<{tag}[^>]*>(.*?)</{tag}>", html, re.DOTALL)
    return [unescape(re.sub("<[^>]*>", "", cell.replace("<br>", "\n"))) for cell in found]


@given(grids)
@settings(max_examples=50, deadline=None)
def test_every_cell_is_in_its_place_whatever_signs_it_holds(rows: list[list[str]]) -> None:
    table = Table(*(escape(word) for word in rows[0]))
    for row in rows[1:]:
        table.add_row(*(escape(word) for word in row))
    html = to_html(table)
    assert cells(html, "th") == rows[0]
    assert cells(html) == [word for row in rows[1:] for word in row]


def test_marks_are_bold_lines_break_and_numbers_stand_on_the_right() -> None:
    table = Table("run", Column("points", justify="right"), title="one", caption="two < three")
    table.add_row("[green]A3B*[/] B3B [dim]later[/]", "-1\n+2")
    html = to_html(table)
    assert "<b>A3B*</b> B3B later" in html
    assert 'text-align: right">-1<br>+2' in html
    assert html.index("one") < html.index("A3B") < html.index("two &lt; three")


def test_ipython_shows_a_table_as_html_and_keeps_the_text_for_a_terminal() -> None:
    formatter = DisplayFormatter()
    show_as_html(formatter)
    data, _ = formatter.format(Table("split", "networks"))
    assert data["text/html"].startswith("<table")
    assert not BOX.search(data["text/html"])
    assert BOX.search(data["text/plain"])


@pytest.mark.parametrize("authors", [True, False])
def test_the_ledgers_verdicts_are_the_last_column_and_none_is_cut_off(authors: bool) -> None:
    ours, theirs = ledger(Evidence(similar=authors_evidence().similar)), ledger(authors_evidence(), published=True)
    html = to_html(claims_table(ours, theirs if authors else None))
    last = cells(html)[3 if authors else 2 :: 4 if authors else 3]
    assert len(last) == len(ours)
    assert sum("holds" in cell for cell in last) >= 8
    assert "…" not in html


@given(st.sampled_from(["smoke", "quick", "class", "paper"]), words)
def test_only_at_smoke_a_conclusion_is_replaced_by_a_sentence(preset: str, shown: str) -> None:
    told = conclusion(shown, preset)
    assert (told is shown) == (preset != "smoke")
    if preset == "smoke":
        assert repr(told) == NO_CONCLUSION


@pytest.mark.parametrize(("count", "told"), [(1.0, "1 more split"), (0.6, "1 more split"), (12.0, "12 more splits")])
def test_one_more_split_is_one(count: float, told: str) -> None:
    assert further(count, "splits") == told
