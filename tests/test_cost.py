"""The cost page says what follows from the rates that are kept, and the rates are those of the paper's network."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.paper_rate import measure, merged
from course.book import cost
from course.book.markers import fill
from transferkit.config import get_preset

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "course" / "cost.md"
RATES = cost.read_rates()


def test_its_tables_are_those_of_the_rates_that_are_kept() -> None:
    text = PAGE.read_text()
    found = cost.sections(RATES)
    assert fill(text, found) == text
    assert text.count("<!-- end -->") == len(found)


def test_every_device_was_measured_at_every_number_of_frozen_layers() -> None:
    for _, rows in RATES.groupby(["device", "precision"]):
        assert sorted(rows["frozen"]) == list(range(8))
        assert (rows["rate"] > 0).all()
        assert set(rows.columns) >= {"device", "torch", "date", "batch", "steps"}


def test_the_authors_rates_give_back_their_days() -> None:
    one, everything = cost.days(cost.authors_rates())
    assert one == pytest.approx(9.5)
    full = [9.5] * (163 - 148 + 8 + 10 + 10 + 2 + 1) + [9.5 * 200 / 450] * 12
    frozen = [days * count for days, count in zip(cost.DAYS_ON_K20[1:], [8 + 4 + 2 + 1] * 7, strict=True)]
    assert everything == pytest.approx(sum(full) + sum(frozen))


def test_all_images_are_counted() -> None:
    assert sum(cost.images_by_frozen().values()) == 256 * ((163 - 12) * 450_000 + 12 * 200_000)


def test_a_training_step_takes_4_14_gflop_of_a_base_and_never_more_with_more_layers_frozen() -> None:
    operations = cost.operations_by_frozen()
    assert operations[0] == pytest.approx(4.14e9, rel=2e-3)
    assert sorted(operations.values(), reverse=True) == list(operations.values())
    assert operations[7] > 1.44e9


@settings(max_examples=20)
@given(st.floats(0.1, 1e6), st.floats(1.1, 10))
def test_a_faster_device_takes_as_much_less_time(rate: float, times: float) -> None:
    slow, fast = (cost.days(dict.fromkeys(range(8), each)) for each in (rate, rate * times))
    assert slow == pytest.approx([times * days for days in fast])


def test_what_was_not_measured_is_said_and_what_is_measured_takes_its_place() -> None:
    assert "| NVIDIA H200 | not measured on a GPU |" in cost.measured_table(RATES[RATES["device"] != "NVIDIA H200"])
    measured = RATES.iloc[[0]].assign(device="NVIDIA H200", rate=1e4)
    table = cost.measured_table(pd.concat([measured.assign(frozen=depth) for depth in range(8)]))
    assert "not measured" not in table
    assert "| NVIDIA H200, bfloat16 | 10,000 | 3.2 hours |" in table


def test_a_rate_is_measured_for_each_number_of_frozen_layers(tmp_path: Path) -> None:
    preset = get_preset("smoke")
    rates = dict(measure(preset, "cpu", "float32", (4, 2), [0, 7]))
    assert list(rates) == [0, 7]
    assert all(rate > 0 for rate in rates.values())
    rows = pd.DataFrame(
        [{"device": "d", "precision": "float32", "frozen": n, "rate": rate} for n, rate in rates.items()]
    )
    (tmp_path / "rates.csv").write_text(merged(tmp_path / "none.csv", rows))
    again = merged(tmp_path / "rates.csv", rows.iloc[[1]].assign(rate=5.0))
    assert [float(line.split(",")[-1]) for line in again.splitlines()[1:]] == [pytest.approx(rates[0]), 5.0]
