"""The interval covers the truth as often as it says, and nothing is counted as independent that is not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks.interval_coverage import simulate
from course.evidence.precision import equivalence, further_clusters, interval_of_next, predict_next
from course.evidence.statistics import compare, contrast, slope
from transferkit.errors import UsageError
from transferkit.results import Estimate, estimate
from transferkit.results.estimate import mean_of_clusters

GRIDS = 2000
COVERAGE = Path(__file__).parents[2] / "course" / "results" / "interval-coverage.csv"


def estimate_of(means: np.ndarray) -> Estimate:
    return Estimate(*mean_of_clusters(means), len(means), len(means))


def table_of(grid: np.ndarray) -> pd.DataFrame:
    """A table of BnB networks from paired differences, splits x seeds x targets x n."""
    rows = [
        (f"random{split}", seed, "AB"[target], n + 1, "BnB", value, 0.7 + value)
        for (split, seed, target, n), value in np.ndenumerate(grid)
    ]
    return pd.DataFrame(rows, columns=["split", "seed", "target", "n", "treatment", "paired", "top1"])


@pytest.mark.parametrize(("splits", "seeds"), [(2, 2), (4, 1), (4, 2), (4, 3), (12, 1)])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_95_percent_intervals_hold_the_truth_93_to_97_times_in_a_hundred(
    splits: int, seeds: int, spread: float
) -> None:
    grids = simulate(splits, seeds, spread, np.random.default_rng(7), GRIDS)
    intervals = [estimate_of(means).interval() for means in grids.mean((2, 3, 4))]
    covered = np.mean([low <= 0 <= high for low, high in intervals])
    assert 0.93 <= covered <= 0.97


def test_a_table_is_estimated_over_its_splits() -> None:
    grid = simulate(4, 2, 1.0, np.random.default_rng(0), 1)[0]
    found = estimate(table_of(grid))
    assert found is not None
    values = grid.mean((1, 2, 3))
    assert (found.clusters, found.networks, found.over) == (4, grid.size, "splits")
    expected = stats.t.interval(0.95, 3, loc=values.mean(), scale=stats.sem(values))
    assert found.interval() == pytest.approx(expected)


def test_the_choice_of_splits_is_what_was_measured() -> None:
    coverage = pd.read_csv(COVERAGE)
    shares = {str(way): rows["coverage_percent"] for way, rows in coverage.groupby("way")}
    assert shares.pop("over_splits").between(93, 97).all()
    assert set(shares) == {"over_networks", "over_split_and_seed", "bootstrap"}
    assert all(share.min() < 93 for share in shares.values())


def test_with_one_split_the_clusters_are_seeds_and_with_one_of_both_there_is_no_interval() -> None:
    grid = simulate(1, 3, 0.0, np.random.default_rng(0), 1)[0]
    seeds = estimate(table_of(grid))
    assert seeds is not None
    assert (seeds.over, seeds.clusters, seeds.seeds_of) == ("seeds", 3, ("random0",))
    one = estimate(table_of(grid[:, :1]))
    assert one is not None
    assert np.isnan(one.interval()).all()
    assert one.value == pytest.approx(grid[:, :1].mean())
    assert estimate(table_of(grid).assign(paired=np.nan)) is None


def test_networks_of_one_split_are_not_counted_as_more_evidence() -> None:
    grid = simulate(4, 1, 1.0, np.random.default_rng(0), 1)[0]
    once = estimate(table_of(grid))
    again = estimate(table_of(np.concatenate([grid] * 3, axis=1)))
    assert once is not None
    assert again is not None
    assert again.interval() == pytest.approx(once.interval())


@given(st.lists(st.floats(-5, 5), min_size=4, max_size=4), st.floats(-0.1, 0.1))
def test_a_contrast_removes_what_a_target_has_in_common(offsets: list[float], effect: float) -> None:
    shift = np.array(offsets).reshape(2, 1, 2, 1)
    one = table_of(np.zeros((2, 1, 2, 7)) + effect + shift).assign(treatment="AnB")
    two = table_of(np.zeros((2, 1, 2, 7)) + shift)
    found = contrast(pd.concat([one, two]), "AnB", "BnB")
    assert found is not None
    assert found.matched
    assert found.interval() == pytest.approx((effect, effect), abs=1e-9)


def test_networks_without_a_target_in_common_are_compared_each_with_its_own_base() -> None:
    table = table_of(simulate(4, 1, 1.0, np.random.default_rng(0), 1)[0])
    table.loc[table["target"] == "A", "treatment"] = "AnB"
    found = contrast(table, "AnB", "BnB")
    assert found is not None
    assert not found.matched
    one, two = (table[table["treatment"] == name]["paired"] for name in ("AnB", "BnB"))
    assert found.value == pytest.approx(one.mean() - two.mean())


def test_a_planted_slope_is_found() -> None:
    grid = simulate(4, 2, 1.0, np.random.default_rng(0), 1)[0] - 1.5 * np.arange(1, 8)
    found = slope(table_of(grid))
    assert found is not None
    assert found.interval()[0] < -1.5 < found.interval()[1]
    assert slope(table_of(grid[..., :1])) is None


def test_welchs_interval_is_that_of_scipy() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.normal(1, 1, 4), generator.normal(0, 3, 6)
    found = compare(estimate_of(first), estimate_of(second))
    assert found is not None
    reference = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert found.interval() == pytest.approx((reference.low, reference.high))
    assert compare(None, estimate_of(first)) is None


@given(st.lists(st.floats(-3, 3), min_size=3, max_size=8), st.floats(0.1, 4))
def test_equivalence_is_shown_exactly_when_the_interval_lies_within_the_margin(
    values: list[float], margin: float
) -> None:
    found = estimate_of(np.array(values))
    low, high = found.interval()
    if min(abs(low + margin), abs(high - margin)) > 1e-9 and found.error > 1e-9:
        assert (equivalence(found, margin) < 0.025) == (-margin < low and high < margin)


def test_further_splits_bring_the_interval_to_the_wanted_width() -> None:
    found = estimate_of(np.array([-1.0, 0.0, 1.0]))
    more = further_clusters(found, 0.5)
    counts = [3 + more - 1, 3 + more]
    wide, enough = (stats.t.ppf(0.975, count - 1) / np.sqrt(count) for count in counts)
    assert enough <= 0.5 < wide
    assert further_clusters(found, 10) == 0
    assert further_clusters(found, 0) == np.inf
    assert np.isnan(further_clusters(estimate_of(np.array([1.0])), 1))


@pytest.mark.parametrize("splits", [2, 4, 12])
def test_one_further_split_comes_where_it_is_expected_95_times_in_a_hundred(splits: int) -> None:
    draws = np.random.default_rng(splits).normal(3.0, 2.0, (GRIDS, splits + 1))
    inside = 0
    for *known, further in draws:
        low, high = interval_of_next(estimate_of(np.array(known)))
        inside += low <= further <= high
    assert 0.93 <= inside / GRIDS <= 0.97


def test_a_split_is_tested_against_what_the_others_say_of_it() -> None:
    grid = np.zeros((4, 1, 2, 7))
    grid[:, 0, :, 4] = np.array([-0.02, -0.01, 0.01, 0.02])[:, None]
    table, unseen = table_of(grid), table_of(np.full((1, 1, 2, 7), 0.03)).assign(split="random9")
    told = predict_next(table, unseen[unseen["n"].isin([4, 5])], "BnB")
    half = stats.t.ppf(0.975, 3) * np.std([-2, -1, 1, 2], ddof=1) * np.sqrt(1 + 1 / 4)
    assert list(told.loc[5, ["mean", "low", "high", "came"]]) == pytest.approx([0, -half, half, 3])
    assert list(told["inside"]) == [False, True]
    assert told["inside"].notna().all()
    with pytest.raises(UsageError, match="random1 cannot test what random0, random1"):
        predict_next(table, table[table["split"] == "random1"], "BnB")
    with pytest.raises(UsageError, match="no split cannot test"):
        predict_next(table, unseen[:0], "BnB")


def test_the_seeds_of_one_split_say_nothing_about_another_split() -> None:
    seeds = table_of(np.random.default_rng(0).normal(0, 0.01, (1, 4, 2, 7)))
    splits = table_of(np.random.default_rng(1).normal(0, 0.01, (3, 1, 2, 7)))
    unseen = table_of(np.zeros((1, 1, 2, 7))).assign(split="random9")
    told = predict_next(seeds, unseen, "BnB")
    assert told["mean"].notna().all()
    assert told[["low", "high", "inside"]].isna().all(axis=None)
    partly = pd.concat([splits[splits["n"] != 5], splits[(splits["n"] == 5) & (splits["split"] == "random0")]])
    told = predict_next(partly, unseen, "BnB")
    assert told.index[told["inside"].isna()].tolist() == [5]
    assert told.round(1)["inside"].isna().sum() == 1
