"""The morning page: every task has its row in all three files, whatever it is called and however it ended."""

import csv
import io
import os
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.batch.page import CSV, HTML, JUNIT, shown_names, write_report
from course.batch.records import NOTEBOOK, PAGE, THUMBNAIL, CellFailure, Provenance, Record, Usage
from course.batch.tasks import Task, shown
from course.pages import safe_csv

PICTURE = b"RIFF----WEBPVP8 "
NASTY = '<script>alert("x")</script> & \x1b[31m\x00'


def task(out: Path, name: str, **parameters: object) -> Task:
    return Task(f"/lessons/{name}.ipynb", parameters, "1", "2", str(out), "/work")


def record(of: Task, **fields: object) -> Record:
    common = Record(
        of.notebook, of.parameters, of.checksum, of.code, "done", origin=Provenance("vm", "CPU", {}, "today")
    )
    return replace(common, **fields)  # type: ignore[arg-type]


@pytest.fixture
def report(tmp_path: Path) -> tuple[list[Task], Path]:
    """A report of four tasks: done with a figure, failed nastily, timed out, and not run."""
    tasks = [task(tmp_path, name, split="natural") for name in ("good", "bad", "slow", "later")]
    good, bad, slow, _ = tasks
    good.folder.mkdir(parents=True)
    (good.folder / THUMBNAIL).write_bytes(PICTURE)
    files = dict.fromkeys((NOTEBOOK, PAGE, THUMBNAIL), "0")
    failure = CellFailure(f"ValueError: {NASTY}", 3, "raise ValueError", f"Traceback {NASTY}")
    records = {
        good.name: record(good, files=files, alt='A "curve" that falls', usage=Usage(90.0, {"1": 1.0}, 120.0)),
        bad.name: record(bad, outcome="failed", failure=failure, files={NOTEBOOK: "0"}, usage=Usage(600.0)),
        slow.name: record(slow, outcome="timeout", failure=CellFailure("not done after 1 minutes")),
    }
    write_report(tasks, records, tmp_path)
    return tasks, tmp_path


def test_the_table_has_the_columns_that_were_promised(report: tuple[list[Task], Path]) -> None:
    with (report[1] / CSV).open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:5] == ["notebook", "parameters", "outcome", "minutes", "error"]
    assert [row["outcome"] for row in rows] == ["failed", "timeout", "not run", "done"], "what needs a look comes first"
    assert rows[3]["minutes"] == "1.50"
    assert rows[0]["parameters"] == "split=natural"
    assert rows[0]["error"].startswith("ValueError: <script>")


def test_junit_counts_a_failure_and_errors(report: tuple[list[Task], Path]) -> None:
    suite = ElementTree.parse(report[1] / JUNIT).getroot()
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4", "failures": "1", "errors": "1", "skipped": "1",
    }  # fmt: skip
    assert [case.get("classname") for case in suite if not list(case)] == ["good.ipynb"]


class Seen(HTMLParser):
    """Tags with their attributes, and those left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_page_needs_no_network_and_runs_nothing_of_a_notebook(report: tuple[list[Task], Path]) -> None:
    text = (report[1] / HTML).read_text()
    assert not re.search(r"(?:https?:)?//\w", re.sub(r"data:[^\"]*", "", text))
    assert text.count("<script") == text.count("<script nonce=") == 1
    assert "&lt;script&gt;" in text
    assert [len(Seen(text).all(tag)) for tag in ("img", "details", "table")] == [1, 1, 1]


def test_links_lead_to_what_there_is(report: tuple[list[Task], Path]) -> None:
    good, bad, *_ = report[0]
    links = [link["href"] for link in Seen((report[1] / HTML).read_text()).all("a")]
    assert f"runs/{good.name.replace('=', '%3D')}/{PAGE}" in links
    assert f"runs/{bad.name.replace('=', '%3D')}/{NOTEBOOK}" in links
    assert len(links) == 4, "good twice, bad once, and the table"


def test_figures_have_an_alternative_text_and_headers_say_how_they_sort(report: tuple[list[Task], Path]) -> None:
    seen = Seen((report[1] / HTML).read_text())
    assert seen.all("img")[0]["alt"] == 'A "curve" that falls'
    assert [header.get("aria-sort") for header in seen.all("th")] == ["none", "ascending", "none", None]
    assert len(seen.all("button")) == 3


@given(st.lists(st.text("a=+-@\uff1d\t\n\r;, 'x\"", max_size=8), min_size=1, max_size=3), st.sampled_from(",;\t"))
def test_no_cell_begins_as_a_formula_whatever_the_locale_divides_at(cells: list[str], divider: str) -> None:
    rows = csv.reader(io.StringIO(safe_csv(["a"], [cells]).decode(), newline=""), delimiter=divider)
    begins = [cell.strip(" \n;")[:1] for row in rows for cell in row]
    assert not set(begins) & set("=+-@\uff1d\t\r")


def test_text_stays_as_it_is_otherwise() -> None:
    table = safe_csv(["a", "b"], [["n=1 lr=-0.5", -1], ["a;b", "=1"]]).decode()
    assert table == "a,b\nn=1 lr=-0.5,-1\na;b,'=1\n"


@given(st.binary(max_size=12))
def test_a_name_of_any_bytes_is_shown_in_print(name: bytes) -> None:
    text = shown(os.fsdecode(name))
    assert text.isprintable()
    assert text.encode() or not name


def test_text_that_is_not_utf8_anywhere_costs_no_page(tmp_path: Path) -> None:
    odd = task(tmp_path, "n\udcdc/\x1b[31m\udcff", word="\udcdc", table={"\ud800": ("\udcdc",)})
    failure = CellFailure("ValueError: \udcdc", 1, "print('\ud800')", "\udcdc\x00")
    ended = record(odd, outcome="failed", failure=failure, files={NOTEBOOK: "0"}, alt="\udcdc", notes=("\udcdc",))
    write_report([odd], {odd.name: ended}, tmp_path)
    for name in (HTML, CSV, JUNIT):
        (tmp_path / name).read_text(encoding="utf-8")
    assert "\\x1b[31m\\xff.ipynb" in (tmp_path / HTML).read_text()
    assert Record.decode(ended.encode()).notes == ("\udcdc",)


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/c/one.ipynb", "/c/two.ipynb"], ["one.ipynb", "two.ipynb"]),
        (["/c/ann/hw.ipynb", "/c/bob/hw.ipynb", "/c/x.ipynb"], ["ann/hw.ipynb", "bob/hw.ipynb", "x.ipynb"]),
        (["/a/s/hw.ipynb", "/b/s/hw.ipynb"], ["a/s/hw.ipynb", "b/s/hw.ipynb"]),
    ],
)
def test_notebooks_are_named_by_what_tells_them_apart(paths: list[str], names: list[str]) -> None:
    found: Callable[[Path], str] = shown_names(map(Path, paths)).__getitem__
    assert [found(Path(path)) for path in paths] == names
