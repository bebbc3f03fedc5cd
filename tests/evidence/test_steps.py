"""Sudden or gradual: planted falls come out where they were planted, with intervals that know their splits."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course import figures
from course.evidence.authors import authors_table
from course.evidence.claims import CLAIMS, Evidence, judge, ledger, read_evidence
from course.evidence.collect import kept_evidence
from course.evidence.steps import STEP_COLUMNS, beyond_the_widest_step, specificity, steps
from tests.figure_tables import grids, shift
from transferkit.errors import UsageError

RANDOMS = ("random0", "random1", "random2")
FLAT = dict.fromkeys(("base", "BnB", "BnB+", "AnB", "AnB+", "RnB"), 0.0)
points = st.lists(st.integers(-40, 10), min_size=7, max_size=7)


def planted(falls: list[int], dip: float = 0.0, splits: tuple[str, ...] = RANDOMS) -> pd.DataFrame:
    """A grid whose AnB falls by so many points at each n beyond BnB, which has a dip in the middle."""
    table = shift(grids(list(splits), effect=FLAT), "BnB", {4: -dip, 5: -dip})
    reached = np.cumsum(falls) + np.array([0, 0, 0, -dip, -dip, 0, 0])
    return shift(table, "AnB", dict(zip(range(1, 8), reached.tolist(), strict=True)))


@given(points, st.floats(0, 5))
@settings(max_examples=20, deadline=None)
def test_each_step_is_the_fall_that_was_planted_whatever_the_dip_of_the_control(falls: list[int], dip: float) -> None:
    found = steps(planted(falls, dip))
    assert tuple(found.columns) == STEP_COLUMNS
    assert found["n"].tolist() == list(range(1, 8))
    assert found["step"].to_numpy() == pytest.approx(falls)
    assert (found["high"] - found["low"]).to_numpy() == pytest.approx(np.zeros(7), abs=1e-6)
    assert set(found["clusters"]) == {3}


@given(points)
@settings(max_examples=20, deadline=None)
def test_what_is_left_without_the_widest_step_is_the_fall_of_all_other_layers(falls: list[int]) -> None:
    found = beyond_the_widest_step(planted(falls))
    assert found is not None
    assert 100 * found.value == pytest.approx(sum(falls) - min(falls))


@pytest.mark.parametrize(
    ("falls", "verdict"),
    [([0, 0, 0, -15, 0, 0, 0], "fails"), ([0, -1, -2, -3, -3, -3, -3], "holds"), ([0] * 7, "fails")],
)
def test_a_sudden_change_is_not_called_gradual(falls: list[int], verdict: str) -> None:
    claim = next(one for one in CLAIMS if one.key == "gradual")
    assert judge(claim, claim.measure(Evidence(similar=planted(falls))))[0] == verdict


def test_one_split_gives_steps_without_an_interval_and_no_treatments_no_steps() -> None:
    found = steps(planted([0, -1, -2, -3, -4, -5, -6], splits=("random0",)))
    assert found["low"].isna().all()
    assert found["step"].tolist() == pytest.approx([0, -1, -2, -3, -4, -5, -6])
    bases = grids(["random0"], effect=FLAT).query("treatment == 'base'")
    assert steps(bases).empty
    assert beyond_the_widest_step(bases) is None


def test_the_authors_falls_are_measured_though_their_bnb_has_one_target_only() -> None:
    table = authors_table("figure2")
    means = 100 * table.pivot_table(index=["split", "treatment"], columns="n", values="paired")
    last = means[7].groupby("treatment").mean().to_dict()
    assert steps(table)["step"].sum() == pytest.approx(last["AnB"] - last["BnB"])
    assert specificity(table).shape == (4, 8)


def test_the_kept_networks_fall_at_six_of_seven_layers_and_the_authors_at_three() -> None:
    folder = kept_evidence()
    assert folder is not None
    ours, theirs = (steps(table) for table in (read_evidence(folder).similar, authors_table("figure2")))  # type: ignore[arg-type]
    assert ours.loc[ours["high"] < 0, "n"].tolist() == [2, 3, 4, 5, 6, 7]
    assert theirs.loc[theirs["high"] < 0, "n"].tolist() == [5, 6, 7]
    shares = [(rows["step"].min() / rows["step"].sum()).item() for rows in (ours, theirs)]
    assert shares[0] < 1 / 3  # lesson 05 says so
    assert shares[1] == pytest.approx(1 / 2, abs=0.03)


def test_the_picture_has_a_mark_for_each_step_and_says_in_words_where_it_falls() -> None:
    falls = [0, 0, -3, -1, 0, -2, -5]
    table = shift(planted(falls), "BnB", {1: 0.0})
    noisy = steps(table).assign(high=lambda rows: rows["step"] + 1.5, low=lambda rows: rows["step"] - 1.5)
    picture = figures.steps({"ours": noisy, "theirs": steps(planted(falls, splits=("random0",)))})
    marks = [line.get_ydata() for line in picture.figure.axes[0].lines if line.get_gid() == "steps"]
    assert [np.asarray(one).tolist() for one in marks] == [pytest.approx(falls, abs=1e-9)] * 2
    assert "The interval lies below zero at n = 3, 6 and 7." in picture.alt
    assert picture.alt.endswith("-5.0 at n = 7; no interval.")
    with pytest.raises(UsageError, match="networks of AnB and BnB at the same n"):
        figures.steps({"nothing": noisy.head(0)})


@given(st.floats(-4, 4), st.floats(-4, 4))
@settings(max_examples=20, deadline=None)
def test_fine_tuning_recovers_nothing_where_there_is_no_dip(dip: float, tuned: float) -> None:
    table = shift(shift(grids(list(RANDOMS), effect=FLAT), "BnB", {4: -dip, 5: -dip}), "BnB+", {4: tuned, 5: tuned})
    row = ledger(Evidence(similar=table)).set_index("claim").loc["recovery"]
    assert row["estimate"] == pytest.approx(min(dip, tuned + dip))
    assert (row["verdict"] == "holds") == (min(dip, tuned + dip) > 1e-9) or abs(min(dip, tuned + dip)) < 1e-6
