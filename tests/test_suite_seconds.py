"""The table of the slowest tests, and which files `make check` runs."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.suite import FILES, PAGE, SLOW, by_file, quick_files, read_seconds, slowest_rows
from course.book.markers import fill
from transferkit.errors import UsageError

REPORT = """<?xml version="1.0"?><testsuites><testsuite name="pytest">
<testcase classname="tests.a.test_one" name="test_it_waits[3-x]" time="7.264"/>
<testcase classname="tests.test_two" name="test_it_is_quick" time="0.004"/></testsuite></testsuites>"""


def test_a_report_becomes_seconds_by_test_slowest_first(tmp_path: Path) -> None:
    (tmp_path / "tests.xml").write_text(REPORT)
    table = read_seconds(tmp_path / "tests.xml")
    assert table.to_numpy().tolist() == [
        ["tests/a/test_one.py", "test_it_waits[3-x]", 7.26],
        ["tests/test_two.py", "test_it_is_quick", 0.0],
    ]
    assert "| it waits | tests/a/test_one.py | 7.3 |" in slowest_rows(table, by_file(table))
    with pytest.raises(UsageError, match="run 'make test' first"):
        read_seconds(tmp_path / "none.xml")


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 20)), min_size=1), st.floats(0, 60))
def test_quick_files_fit_into_the_budget_and_no_quicker_one_is_left_out(
    rows: list[tuple[str, float]], budget: float
) -> None:
    table = pd.DataFrame([(name, "t", seconds) for name, seconds in rows], columns=["file", "test", "seconds"])
    chosen = quick_files(by_file(table), budget)
    each = table.groupby("file")["seconds"].mean()
    assert table.loc[table["file"].isin(chosen), "seconds"].sum() <= budget + 0.1
    left = each[~each.index.isin(chosen)]
    assert not len(left) or not chosen or each[chosen].max() <= left.max() + 0.01


def test_the_page_tells_the_kept_seconds() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == fill(page, {"suite": slowest_rows(pd.read_csv(SLOW), pd.read_csv(FILES))})
    assert quick_files(pd.read_csv(FILES))
