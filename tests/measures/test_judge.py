"""Judging measures: ranks over n and at a fixed n, what the selffer takes away, and predictions without a leak."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from course.measures.expect import learn_rule
from course.measures.judge import Fit, at_fixed_n, by_line, by_mean, fit_line, over_n, predicted, score_of, straightness
from tests.measures.made_cells import SPLITS, made_cells
from transferkit.errors import DataError

SEEDS = st.integers(0, 2**32 - 1)
FITS: dict[str, Fit] = {"line": by_line("logistic", "AnB", selffer=True), "mean": by_mean("AnB")}


def shuffled(cells: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The same cells with their truths dealt anew among all of them."""
    return cells.assign(AnB=np.random.default_rng(seed).permutation(cells["AnB"]))


def test_over_n_is_the_mean_of_kendalls_tau_over_targets_and_splits() -> None:
    cells = made_cells(0, noise=0.02)
    score = score_of(cells, "logistic", selffer=True)
    known = [kendalltau(score[rows.index], rows["AnB"]).statistic for _, rows in cells.groupby(["split", "target"])]
    found = over_n(cells, score, cells["AnB"])
    assert found.value == pytest.approx(np.mean(known))
    assert found.low < found.value < found.high
    assert (found.splits, found.cells) == (len(SPLITS), len(cells))


def test_at_fixed_n_is_the_share_of_pairs_of_two_splits_that_agree_less_those_that_do_not() -> None:
    cells = made_cells(1, noise=0.02).sample(frac=0.6, random_state=0)
    score, agreed, pairs = score_of(cells, "logistic", selffer=True), 0.0, 0
    for one, other in itertools.combinations(cells.index, 2):
        if cells["n"][one] == cells["n"][other] and cells["split"][one] != cells["split"][other]:
            agreed += np.sign((score[one] - score[other]) * (cells["AnB"][one] - cells["AnB"][other]))
            pairs += 1
    found = at_fixed_n(cells, score, cells["AnB"])
    assert found.value == pytest.approx(agreed / pairs)
    assert found.low < found.value < found.high


def test_the_selffer_turns_a_measure_that_points_the_wrong_way() -> None:
    cells = made_cells(2)
    alone, less = (over_n(cells, score_of(cells, "logistic", selffer=own), cells["AnB"]).value for own in (False, True))
    assert alone < -0.5
    assert less > 0.9


def test_what_is_the_same_at_every_n_or_at_every_split_ranks_nothing() -> None:
    cells = made_cells(3)
    cells = cells.assign(leep=cells["split"].map({split: place for place, split in enumerate(SPLITS)}).astype(float))
    assert np.isnan(over_n(cells, score_of(cells, "leep", selffer=False), cells["AnB"]).value)
    assert over_n(cells, score_of(cells, "n", selffer=False), cells["AnB"]).value > 0.9
    assert np.isnan(at_fixed_n(cells, score_of(cells, "n", selffer=False), cells["AnB"]).value)


def test_straightness_is_pearsons_correlation_and_what_never_changes_has_none_and_gives_a_level_line() -> None:
    cells = made_cells(3)
    score = score_of(cells, "logistic", selffer=True)
    found = straightness(cells, score, cells["AnB"])
    assert found.value == pytest.approx(np.corrcoef(score, cells["AnB"])[0, 1])
    assert found.low < found.value < found.high <= 1
    same = pd.Series(0.5, index=cells.index)
    assert np.isnan(straightness(cells, same, cells["AnB"]).value)
    assert fit_line(same, cells["AnB"]).slope == 0
    assert fit_line(same, cells["AnB"]).intercept == pytest.approx(cells["AnB"].mean())


@given(SEEDS)
@settings(max_examples=15)
def test_shuffled_truths_are_ranked_by_nothing(seed: int) -> None:
    cells = shuffled(made_cells(4), seed)
    score = score_of(cells, "logistic", selffer=True)
    assert abs(over_n(cells, score, cells["AnB"]).value) < 0.35
    assert abs(at_fixed_n(cells, score, cells["AnB"]).value) < 0.35


@pytest.mark.parametrize("name", FITS)
@given(seed=SEEDS, split=st.sampled_from(SPLITS))
@settings(max_examples=15)
def test_a_split_is_predicted_without_its_own_truths_and_no_fit_sees_a_split_that_is_not_random(
    name: str, seed: int, split: str
) -> None:
    cells = made_cells(seed)
    other = cells.copy()
    own = other["split"] == split
    other.loc[own, "AnB"] = np.random.default_rng(seed).normal(size=own.sum())
    before, after = predicted(cells, FITS[name]), predicted(other, FITS[name])
    pd.testing.assert_series_equal(before[own], after[own])
    if not split.startswith("random"):
        pd.testing.assert_series_equal(before, after)


@given(SEEDS)
@settings(max_examples=10)
def test_predictions_from_shuffled_truths_do_not_correlate_with_them(seed: int) -> None:
    cells = shuffled(made_cells(5), seed)
    expected = predicted(cells, FITS["line"])
    away = ~cells["split"].str.startswith("random")
    assert abs(np.corrcoef(expected[away], cells["AnB"][away])[0, 1]) < 0.5
    known = made_cells(5)
    assert np.corrcoef(predicted(known, FITS["line"])[away], known["AnB"][away])[0, 1] > 0.9


@given(SEEDS, st.floats(0.2, 2))
@settings(max_examples=10)
def test_the_line_finds_the_slope_that_was_put_in(seed: int, slope: float) -> None:
    cells = made_cells(seed, slope=slope, of_split=0, noise=0.001)
    assert fit_line(score_of(cells, "logistic", selffer=True), cells["AnB"]).slope == pytest.approx(slope, abs=0.05)


def test_the_interval_holds_the_mean_of_a_further_split_as_often_as_it_says() -> None:
    inside = []
    for seed in range(60):
        rule = learn_rule(made_cells(seed))
        further = made_cells(1000 + seed, ("random9",))
        means = further.assign(score=score_of(further, "logistic", selffer=True)).groupby("n")[["score", "AnB"]].mean()
        bounds = rule.expect(means["score"], "photos")
        inside += list(means["AnB"].between(bounds["low"], bounds["high"]))
    assert 0.9 <= np.mean(inside) <= 0.99


def test_a_kind_of_split_that_the_line_does_not_fit_widens_the_interval() -> None:
    cells = made_cells(6)
    apart = cells["split"].str.startswith("apart")
    worse = cells.assign(AnB=cells["AnB"] - 0.1 * apart)
    assert (learn_rule(worse).here.half > learn_rule(cells).here.half + 0.05).all()
    assert learn_rule(worse).line == learn_rule(cells).line


def test_an_n_that_was_tried_on_fewer_splits_lies_between_its_neighbours() -> None:
    cells = made_cells(6)
    apart = cells["split"].str.startswith("apart")
    cells = cells.assign(AnB=cells["AnB"] - 0.1 * apart)[~apart | (cells["n"] % 2 == 1)]
    reach = learn_rule(cells).here
    assert np.allclose(reach.depths * 6 + 1, [1, 3, 5, 7])
    bounds = learn_rule(cells).expect(pd.Series(0.0, index=range(1, 8)), "photos")
    assert bounds["high"][2] - bounds["expected"][2] == pytest.approx(reach.half[:2].mean())


def test_other_data_have_an_interval_of_their_own() -> None:
    cells = made_cells(7)
    drawn = made_cells(8, ("overlap-0", "overlap-0.5", "overlap-1")).assign(data="shapeworld")
    both = pd.concat([cells, drawn.assign(AnB=drawn["AnB"] - 0.1)], ignore_index=True)
    alone, rule = learn_rule(cells), learn_rule(both)
    assert rule.reach("photos") == rule.here
    assert (rule.reach("shapeworld").half > 0.1).all()
    assert rule.reach("anything else") == rule.reach("shapeworld")
    np.testing.assert_array_equal(rule.here.half, alone.here.half)
    assert alone.reach("shapeworld") == alone.here
    assert rule.line == alone.line


def test_random_splits_of_two_data_sets_are_refused() -> None:
    cells = made_cells(9)
    with pytest.raises(DataError, match="give cells of one"):
        learn_rule(pd.concat([cells, cells.assign(data="tiles")], ignore_index=True))
