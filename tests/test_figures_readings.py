from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course.evidence.authors import authors_table
from tests.figure_tables import grids, shift, some_runs
from transferkit import figures
from transferkit.figures.lines import apart
from transferkit.figures.readings import NOTEWORTHY, READINGS, SECOND, find_readings
from transferkit.results import summarise

FLAT = dict.fromkeys(("base", "BnB", "BnB+", "AnB", "AnB+", "RnB"), 0.0)


@pytest.fixture(scope="module")
def flat() -> pd.DataFrame:
    return grids(["random0"], effect=FLAT)


def paper(flat: pd.DataFrame) -> pd.DataFrame:
    """What the paper saw: a dip of BnB at 4 and 5 that fine-tuning mends, AnB below it, AnB+ above base."""
    table = shift(flat, "BnB", {4: -2.0, 5: -3.0})
    table = shift(table, "AnB", {4: -2.5, 5: -5.0, 6: -4.0, 7: -8.0})
    return shift(shift(table, "AnB+", {5: 1.5, 6: 1.6, 7: 2.0}), "BnB+", {4: 0.2, 5: 0.1})


def held(table: pd.DataFrame) -> dict[int, tuple[int, ...]]:
    return {reading.number: reading.at for reading in find_readings(summarise(table))}


def test_no_reading_holds_where_nothing_happens(flat: pd.DataFrame) -> None:
    assert held(flat) == {}


def test_all_readings_hold_where_the_paper_sees_them(flat: pd.DataFrame) -> None:
    assert held(paper(flat)) == {2: (4, 5), 3: (4, 5), 4: (5, 6, 7), 5: (5, 6, 7)}


@pytest.mark.parametrize(
    ("treatment", "points", "lost"),
    [
        ("BnB", {4: -0.5, 5: 0.4}, {2, 3}),
        ("BnB+", {4: -1.5, 5: -2.5}, {3}),
        ("AnB", {4: -2.5, 5: -3.5, 6: -0.4, 7: 0.3}, {4}),
        ("AnB+", {5: 0.9, 6: 0.5, 7: -2.0}, {5}),
    ],
)
def test_a_reading_is_lost_with_what_it_speaks_of(
    flat: pd.DataFrame, treatment: str, points: Mapping[int, float], lost: set[int]
) -> None:
    assert set(READINGS) - {SECOND} - set(held(shift(paper(flat), treatment, points))) == lost


@given(drop=st.floats(0, 5), n=st.integers(1, 7))
@settings(max_examples=20)
def test_co_adaptation_is_read_exactly_where_the_dip_is_noteworthy(drop: float, n: int) -> None:
    summary = summarise(grids(["random0"], effect=FLAT))
    rows = (summary["treatment"] == "BnB") & (summary["n"] == n)
    summary = summary.assign(paired=summary["paired"].mask(rows, -drop / 100))
    readings = {reading.number: reading.at for reading in find_readings(summary)}
    assert (2 in readings) == (100 * (drop / 100) >= NOTEWORTHY)
    assert readings.get(2, (n,)) == (n,)


def test_an_interval_that_reaches_the_other_mean_forbids_a_reading(flat: pd.DataFrame) -> None:
    summary = summarise(paper(flat))
    for high, expected in ((-0.001, True), (0.002, False)):
        wide = summary.assign(high=summary["high"].mask(summary["treatment"] == "BnB", high))
        assert (2 in {reading.number for reading in find_readings(wide)}) == expected


def draw(table: pd.DataFrame, authors: pd.DataFrame | None = None) -> Axes:
    ax = Figure(figsize=(7, 3.5)).add_subplot()
    figures.plot_means(ax, table, authors=authors)
    return ax


def test_each_number_stands_between_the_two_lines_it_speaks_of(flat: pd.DataFrame) -> None:
    table = paper(flat)
    ax = draw(table)
    rings = {text.get_text(): text.get_position() for text in ax.texts if text.get_gid() == "reading"}
    assert sorted(rings) == ["2", "3", "4", "5"]
    means = 100 * table.pivot_table(index="n", columns="treatment", values="paired", aggfunc="mean")
    for number, (x, y) in rings.items():
        upper, lower, _ = READINGS[int(number)]
        heights = [
            np.interp(x, means.index[1:], means[name].to_numpy()[1:]) if name != "base" else 0
            for name in (upper, lower)
        ]
        assert heights[1] < y < heights[0]
    places = list(rings.values())
    assert len({(round(x, 3), round(y, 3)) for x, y in places}) == 4


def test_a_reading_of_a_single_n_is_numbered_beside_its_markers() -> None:
    ax = draw(shift(some_runs("baseB", "A5B+", "B5B+"), "AnB+", {5: 4.0}))
    (place,) = (text.get_position() for text in ax.texts if text.get_gid() == "reading")
    assert place == pytest.approx((4.55, 2.5))


def test_the_legend_says_what_the_numbers_mean_and_only_those_that_hold(flat: pd.DataFrame) -> None:
    legend = draw(shift(flat, "AnB", {7: -5.0})).get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["4  AnB below BnB: specificity"]
    assert draw(flat).get_legend() is None


def test_the_description_says_which_readings_hold_and_which_were_not_seen(flat: pd.DataFrame) -> None:
    told = figures.figure2(shift(flat, "AnB", {6: -3.0, 7: -5.0}), "photos").alt
    assert "Reading 4 of the paper (AnB below BnB: specificity) holds at n = 6 and 7." in told
    assert "Not seen in these networks: readings 2, 3 and 5 of the paper." in told


@given(tuned=st.floats(-6, 6), control=st.floats(-6, 6))
@settings(max_examples=30, deadline=None)
def test_the_other_task_helps_only_where_its_network_is_above_the_control(tuned: float, control: float) -> None:
    found = held(shift(shift(grids(["random0"], effect=FLAT), "AnB+", {7: tuned}), "BnB+", {7: control}))
    assert (5 in found) == (tuned - control >= NOTEWORTHY - 1e-9) or abs(tuned - control - NOTEWORTHY) < 1e-6
    assert (SECOND in found) == (control >= NOTEWORTHY - 1e-9) or abs(control - NOTEWORTHY) < 1e-6


def test_what_a_second_training_gives_is_a_shaded_area_without_a_number(flat: pd.DataFrame) -> None:
    table = shift(flat, "BnB+", {5: 2.0, 6: 2.0, 7: 2.0})
    ax = draw(table)
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["BnB+ above base: what a second training gives"]
    assert not [text for text in ax.texts if text.get_gid() == "reading"]
    told = figures.figure2(table, "photos").alt
    assert "BnB+ above base: what a second training gives, at n = 5, 6 and 7." in told
    assert "Not seen in these networks: readings 2, 3, 4 and 5 of the paper." in told


def test_the_authors_networks_lie_underneath_on_the_axis_of_paired_differences(flat: pd.DataFrame) -> None:
    authors = authors_table("figure2")
    ax = draw(flat, authors)
    lines = {str(line.get_gid()): line for line in ax.lines}
    means = 100 * authors[authors["treatment"] == "AnB"].groupby("n")["paired"].mean()
    assert np.asarray(lines["authors AnB"].get_ydata())[1:] == pytest.approx(means.to_numpy())
    assert all(lines[f"authors {name}"].get_zorder() < lines[name].get_zorder() for name in ("BnB", "AnB+"))
    assert ax.get_ylim()[0] < means.min()
    told = figures.figure2(flat, "photos", authors=authors).alt
    assert "networks per point: BnB 4, BnB+ 1-2, AnB 8, AnB+ 1-2." in told


def test_the_authors_own_figure_shows_all_readings_but_the_gain_over_the_control() -> None:
    assert sorted(held(authors_table("figure2"))) == [SECOND, 2, 3, 4]


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6), st.floats(0.1, 5))
def test_labels_keep_their_order_and_their_distance(heights: list[float], gap: float) -> None:
    given_heights = np.sort(np.array(heights))
    moved = apart(given_heights, gap)
    assert (np.diff(moved) >= 0.9 * gap).all()
    assert moved.mean() == pytest.approx(given_heights.mean(), abs=1e-6)
