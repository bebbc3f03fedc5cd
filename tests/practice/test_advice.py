"""What is advised, and a gain that is free of the winner's curse, on answers drawn at random."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.practice.advice import UNTRAINED, advise, choose, dealt_anew, divide_in_two
from course.practice.options import Answers, Option, heads_of
from course.practice.words import paragraph, worth
from tests.practice.tables import table_for
from transferkit.specs import small_net

LAYERS = small_net().layers
OPTIONS = (
    *heads_of("P", LAYERS), *heads_of("R", LAYERS), Option("P7T+", "fine-tuned", "P", 7, "fc7"),
    Option("baseT", "scratch", "", 0, ""),
)  # fmt: skip


def drawn(chances: dict[str, float], pictures: int, draw: int, usual: float = 0.5) -> Answers:
    """Each option names each picture rightly with its chance, independently."""
    chance = np.array([chances.get(option.label, usual) for option in OPTIONS])
    correct = np.random.default_rng(draw).random((len(OPTIONS), pictures)) < chance[:, None]
    return Answers(OPTIONS, correct.astype(float), np.arange(pictures), len(LAYERS), 5, 5)


def label(answers: Answers, position: int) -> str:
    return answers.options[position].label


def test_the_best_is_advised_where_the_pictures_tell() -> None:
    for winner in ("P3 head", "P7T+", "baseT"):
        answers = drawn({winner: 0.9}, 2000, 0)
        advice = advise(answers)
        assert label(answers, advice.choice) == label(answers, advice.best) == winner
        assert advice.as_good == (advice.best,)


@given(st.integers(0, 50))
@settings(max_examples=20)
def test_the_cheapest_within_a_standard_error_of_the_best_is_advised(draw: int) -> None:
    answers = drawn({"P4 head": 0.8, "P7T+": 0.8, "baseT": 0.8}, 300, draw, usual=0.3)
    choice, best, as_good = choose(answers)
    assert {choice, best} <= {*as_good}
    short = answers.correct - answers.correct[best]
    near = [row for row in answers.positions("head", "fine-tuned", "scratch")
            if short[row].mean() >= -short[row].std(ddof=1) / np.sqrt(300) - 1e-9]  # fmt: skip
    kinds = {answers.options[row].kind for row in near}
    assert choice in near
    assert answers.options[choice].kind == next(kind for kind in ("head", "fine-tuned", "scratch") if kind in kinds)


def test_few_pictures_that_tell_little_do_not_cost_many_points() -> None:
    """At 95 %, a hundred pictures cannot tell a head from a network that is nine points better: it would be advised."""
    chances = {"P1 head": 0.53, "baseT": 0.62}
    advised = [label(answers, choose(answers)[0]) for answers in (drawn(chances, 140, it, 0.4) for it in range(60))]
    assert np.mean([0.62 - chances.get(option, 0.4) for option in advised]) < 0.03


def test_controls_are_never_advised() -> None:
    answers = drawn({"R2 head": 0.99}, 1000, 0)
    advice = advise(answers)
    assert answers.options[advice.choice].kind != "control"
    assert next(gain for gain in advice.gains if gain.over == UNTRAINED).high < 0
    assert "worth nothing" not in worth(advice.gains)  # that is judged beside training from scratch, where it is there


def test_where_training_anew_is_always_advised_the_weights_are_not_needed() -> None:
    assert "not needed here: nothing beats training from scratch" in worth(
        advise(drawn({"baseT": 0.95}, 1000, 0)).gains
    )


def test_the_checked_gain_has_no_winners_curse_and_the_other_has() -> None:
    equal = [advise(dealt_anew(drawn({}, 150, draw), draw)).gains[1] for draw in range(40)]
    assert np.mean([gain.flattered for gain in equal]) > 0.02
    checked = [gain.value for gain in equal]
    assert abs(np.mean(checked)) < 3 * np.std(checked) / np.sqrt(len(checked))


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Without shared training there is nothing to inflate for: then 95 % of the intervals would do."""
    gains = [advise(drawn({"P3 head": 0.8}, 400, draw)).gains[1] for draw in range(60)]
    assert np.mean([gain.low <= 0.3 <= gain.high for gain in gains]) > 0.9


def test_more_folds_that_share_training_pictures_widen_the_interval() -> None:
    answers = drawn({"P3 head": 0.7}, 500, 0)
    few, many = (advise(replace(answers, compared_folds=folds)).gains[1] for folds in (1, 5))
    assert few.value == many.value
    assert (many.high - many.low) / (few.high - few.low) == pytest.approx(np.sqrt((1 + 5 / 4) / (1 + 1 / 4)))


def test_copies_of_a_picture_are_one_piece_of_evidence() -> None:
    once = drawn({"P3 head": 0.7}, 300, 0)
    thrice = replace(once, correct=np.tile(once.correct, 3), copies=np.tile(once.copies, 3))
    (one, *_), (other, *_) = advise(once).gains, advise(thrice).gains
    assert other.high - other.low == pytest.approx(one.high - one.low, rel=0.1)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=40), st.integers(0, 99))
def test_copies_stay_in_one_half(copies: list[int], seed: int) -> None:
    numbers = np.array(copies)
    for half in divide_in_two(numbers, seed, times=3):
        assert all(len({*half[numbers == copy].tolist()}) == 1 for copy in copies)
        groups = [half[numbers == copy][0] for copy in {*copies}]
        assert abs(sum(groups) - len(groups) / 2) <= 0.5


@given(st.integers(0, 99))
def test_dealing_anew_keeps_what_each_picture_was_answered_and_every_control(seed: int) -> None:
    answers = drawn({"P2 head": 0.9}, 50, seed)
    dealt = dealt_anew(answers, seed)
    assert np.array_equal(np.sort(dealt.correct, axis=0).sum(0), np.sort(answers.correct, axis=0).sum(0))
    controls = answers.positions("control")
    assert np.array_equal(dealt.correct[controls], answers.correct[controls])


def test_options_are_compared_on_pictures_that_all_were_asked_about() -> None:
    answers = drawn({"P3 head": 0.6, "P7T+": 0.9}, 1000, 0)
    answers.correct[answers.find("fine-tuned", 7), 400:] = np.nan
    advice = advise(answers)
    assert label(answers, advice.choice) == "P7T+"
    assert {gain.pictures for gain in advice.gains} == {400}


def test_the_paragraph_says_what_can_and_what_cannot_be_told() -> None:
    sure = drawn({"P3 head": 0.9}, 2000, 0)
    said = paragraph(sure, advise(sure), table_for(sure, half_length_gain=0.2))
    assert "freeze the first 3 layers (up to conv3)" in said
    assert "The given weights are worth something here" in said
    assert "winner's curse" in said
    assert "pictures cannot tell it from" not in said
    assert "had learned" in said
    unsure = drawn({"P3 head": 0.55}, 60, 3)
    said = paragraph(unsure, advise(unsure), table_for(unsure, half_length_gain=5.0))
    assert "these pictures cannot tell" in said
    assert "would)" in said
    assert "had not learned to the end" in said
