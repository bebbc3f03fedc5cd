"""Every exercise of every lesson: its stub, its solution, and the planted answers."""

import csv

import pytest

from course.exercises import check, exercises
from course.exercises.kill_rate import TABLE, as_csv, kill_rates
from course.exercises.planted import planted
from course.exercises.slips import SLIPS
from course.exercises.solutions import run_source, solution_sources, stub_sources

NAMES = [exercise.name for exercise in exercises()]


def test_every_exercise_is_in_a_lesson_with_a_solution_and_planted_answers() -> None:
    assert sorted(stub_sources()) == sorted(solution_sources()) == sorted(planted()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_stub_is_not_begun_and_never_raises(name: str) -> None:
    assert check(name, run_source(stub_sources()[name], name)).state == "open"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_right_answers_pass(name: str, seed: int) -> None:
    right = (run_source(solution_sources()[name], name), *planted()[name].right)
    assert len(right) >= 2
    for answer in right:
        verdict = check(name, answer, seed)
        assert verdict.state == "passed", verdict


@pytest.mark.parametrize("name", NAMES)
def test_wrong_answers_do_not_pass_whatever_is_drawn(name: str) -> None:
    wrong = planted()[name].wrong
    assert len(wrong) >= 5
    for seed in (1, 2):  # seed 0 is that of the kept kill rates
        passed = [what for what, answer in wrong.items() if check(name, answer, seed).state == "passed"]
        assert not passed


@pytest.mark.parametrize("name", NAMES)
def test_wrong_answers_show_every_misconception(name: str) -> None:
    exercise = next(exercise for exercise in exercises() if exercise.name == name)
    verdicts = [check(name, answer) for answer in planted()[name].wrong.values()]
    named = {verdict.misconception for verdict in verdicts} - {""} - (SLIPS.keys() - exercise.misconceptions.keys())
    assert named == set(exercise.misconceptions), "a misconception that no planted answer shows, or none is named"


@pytest.mark.parametrize("name", NAMES)
def test_odd_answers_are_refused_in_words(name: str) -> None:
    for answer in (None, 3, "text", lambda *_, **__: object(), lambda *_, **__: {"a": [1]}, lambda *_, **__: 1 / 0):
        verdict = check(name, answer)
        assert verdict.state in ("wrong", "error", "open")
        assert verdict.score == 0


def test_the_kept_kill_rates_are_of_these_checks() -> None:
    assert TABLE.read_text() == as_csv(kill_rates()), "run python -m course.exercises.kill_rate"
    rows = list(csv.DictReader(TABLE.read_text().splitlines()))
    assert sum(int(row["found"]) for row in rows) >= 0.9 * sum(int(row["planted"]) for row in rows)
    assert all(row["refused"] == "0" for row in rows)
