"""A prediction: kept at once, scored beside one that knows nothing, and never taken for another question's."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.exercises.solutions import solutions
from course.lesson import scores
from course.lesson.prediction import (
    Prediction,
    Question,
    Revealed,
    find,
    forget,
    keep,
    keep_revealed,
    lateness,
    naive,
    score,
    verdict,
)
from course.lesson.record import record
from transferkit.errors import UsageError

ASKED = Question("asked", "What do you expect?", ("n=1", "n=2", "n=3"))
WHEN = "2026-11-23T23:11:00+00:00"
Values = st.lists(st.floats(-60, 20, allow_subnormal=False), min_size=3, max_size=3)


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


@given(st.lists(st.integers(-100, 100), min_size=1, max_size=6))
def test_a_prediction_made_after_most_networks_were_trained_says_after_how_many(minutes: list[int]) -> None:
    set_at = datetime.fromisoformat(WHEN)
    finished = [(set_at + timedelta(minutes=minute)).isoformat() for minute in minutes]
    before = sum(minute <= 0 for minute in minutes)
    late = lateness(said(1, 2, 3), finished)
    if before <= len(minutes) / 2:
        assert late == ""
    elif before == len(minutes):
        assert late == "This prediction was made after the training."
    else:
        assert late == f"This prediction was made after {before} of {len(minutes)} networks were trained."
    assert lateness(naive(ASKED), finished) == "", "nobody made it"


def test_the_page_over_all_lessons_counts_every_revealed_prediction(tmp_path: Path) -> None:
    assert record(tmp_path).predictions.empty
    assert "No prediction has met its result yet" in record(tmp_path)._repr_html_()
    other = replace(ASKED, name="other", unit="%", low=0, high=100, naive=10)
    keep_revealed(Revealed(said(1, 2, 3), (2.0, 2.0, 5.0)), tmp_path)
    late = Prediction(other, (0.0, 0.0, 0.0), WHEN)
    keep_revealed(Revealed(late, (30.0, 30.0, 30.0), "This prediction was made after the training."), tmp_path)
    (tmp_path / "predictions" / "revealed" / "broken.json").write_text("{")
    shown = record(tmp_path)
    page = shown.predictions
    assert list(page.index) == ["asked", "other", "all"]
    rows = page.astype(object).T.to_dict()
    early = ("off", 1.0), ("control", 3.0), ("bias", -1.0), ("right side", "3 of 3"), ("beats control", "yes")
    assert dict(early).items() <= rows["asked"].items()
    assert {"off": 30.0, "unit": "points", "beats control": "no", "made": "after the training"}.items() <= rows[
        "other"
    ].items()
    assert {"right side": "3 of 6", "beats control": "1 of 2", "made": "1 of 2 before"}.items() <= rows["all"].items()
    assert "1 of 2 predictions beat somebody who knows nothing; 3 of 6 places" in str(shown)


def test_the_page_keeps_the_best_points_of_every_exercise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "find_work_folder", lambda: tmp_path)
    before = record(tmp_path).points
    assert before["points"].sum() == 0
    right = solutions()["gabor"]
    assert scores.points("gabor", right) > 0
    assert record(tmp_path).points["points"].sum() == 0, "nobody is there"
    monkeypatch.setattr(scores, "somebody_is_there", lambda: True)
    full = scores.points("gabor", right)
    scores.check("gabor", lambda *_: 1)
    scores.check("fit_wave", lambda *_: None)
    after = record(tmp_path).points
    assert after["points"].to_dict() == before["points"].to_dict() | {"01": full}
    assert str(after["solved"].to_dict()["01"]).startswith("1 of ")
    assert after["of"].equals(before["of"])


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
