"""A prediction: kept at once, scored beside one that knows nothing, and never taken for another question's."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.lesson.prediction import Prediction, Question, find, forget, keep, naive, score, verdict
from transferkit.errors import UsageError

ASKED = Question("asked", "What do you expect?", ("n=1", "n=2", "n=3"))
WHEN = "2026-11-23T23:11:00+00:00"
Values = st.lists(st.floats(-60, 20), min_size=3, max_size=3)


def said(*values: float) -> Prediction:
    return Prediction(ASKED, values, WHEN)


@given(Values)
def test_what_is_predicted_exactly_has_no_error_and_is_right_in_everything(values: list[float]) -> None:
    found = score(said(*values), values)
    assert found.error == 0
    assert found.sides == found.places == 3
    assert found.order == found.pairs
    assert found.better == any(values)


@given(Values, Values)
def test_the_error_is_the_mean_distance_and_order_ignores_a_shift(values: list[float], actual: list[float]) -> None:
    found, shifted = score(said(*values), actual), score(said(*(value + 7 for value in values)), actual)
    assert found.error == pytest.approx(sum(abs(a - b) for a, b in zip(values, actual, strict=True)) / 3)
    assert (found.naive_error, found.pairs) == (shifted.naive_error, shifted.pairs)


def test_sides_and_order_are_counted_where_the_result_is_clear() -> None:
    found = score(said(2, -3, -3), [4, 0.5, -10])
    assert (found.sides, found.places) == (2, 3)  # -3 is below 0, 0.5 is called equal
    assert (found.order, found.pairs) == (2, 3)  # n=2 and n=3 were said to be equal, and are not


def test_the_verdict_says_plainly_whether_knowing_nothing_was_beaten() -> None:
    actual = [4.0, 0.0, -8.0]
    assert "your prediction beats it" in verdict(said(3, 0, -7), actual)
    assert "your prediction does not beat it" in verdict(said(-20, -20, -20), actual)
    assert "saying 0 everywhere is off by 4.0" in verdict(said(3, 0, -7), actual)
    assert verdict(naive(ASKED), actual).startswith("Nothing was predicted")


def test_it_is_kept_until_it_is_forgotten(tmp_path: Path) -> None:
    assert find(ASKED, tmp_path) is None
    keep(said(1, 2, 3), tmp_path)
    assert find(ASKED, tmp_path) == said(1, 2, 3)
    forget(ASKED, tmp_path)
    assert find(ASKED, tmp_path) is None
    forget(ASKED, tmp_path)


def test_an_answer_to_a_changed_question_is_no_answer(tmp_path: Path) -> None:
    keep(said(1, 2, 3), tmp_path)
    assert find(replace(ASKED, high=30), tmp_path) is None
    (tmp_path / "predictions" / "asked.json").write_text("{")
    assert find(ASKED, tmp_path) is None


def test_what_cannot_be_answered_is_refused() -> None:
    with pytest.raises(UsageError, match="letters, digits and hyphens"):
        replace(ASKED, name="../escape")
    with pytest.raises(UsageError, match="low <= naive <= high"):
        replace(ASKED, naive=21)
    with pytest.raises(UsageError, match="2 values answer 3 places"):
        Prediction(ASKED, (1, 2))
    with pytest.raises(UsageError, match="2 results answer 3 places"):
        score(said(1, 2, 3), [1, 2])
