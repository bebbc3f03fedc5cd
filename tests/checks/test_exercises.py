"""Every exercise of every lesson: its stub, its solution, and the planted answers."""

import csv

import pytest

from course.asking.replies import Reply, replies_of
from course.exercises import Case, Exercise, cases_of, check, exercises, get_exercise
from course.exercises.kill_rate import TABLE, as_csv, kill_rates, wrong_verdicts
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
@pytest.mark.parametrize("seed", [0, 1])
def test_right_answers_pass(name: str, seed: int) -> None:
    right = (run_source(solution_sources()[name], name), *planted()[name].right)
    assert len(right) >= 2
    for answer in right:
        verdict = check(name, answer, seed)
        assert verdict.state == "passed", verdict


def is_wrong(exercise: Exercise, case: Case, reply: Reply) -> bool:
    try:
        return bool(reply.error) or exercise.judge(case, reply.value) is not None
    except Exception:  # what came out has another form
        return True


@pytest.mark.parametrize("name", NAMES)
def test_wrong_answers_do_not_pass_whatever_is_drawn(name: str) -> None:
    wrong = planted()[name].wrong
    assert len(wrong) >= 5
    assert not [what for what, verdict in wrong_verdicts(name).items() if verdict.state == "passed"]
    exercise = get_exercise(name)
    cases = cases_of(exercise, 1)
    for what, answer in wrong.items():  # without naming a misconception, which takes most of the time
        replies = replies_of(exercise.ask, answer, [case.given for case in cases])
        assert any(is_wrong(exercise, case, reply) for case, reply in zip(cases, replies, strict=True)), what


@pytest.mark.parametrize("name", NAMES)
def test_wrong_answers_show_every_misconception(name: str) -> None:
    exercise = next(exercise for exercise in exercises() if exercise.name == name)
    named = {verdict.misconception for verdict in wrong_verdicts(name).values()} - {""}
    shown = named - (SLIPS.keys() - exercise.misconceptions.keys())
    assert shown == set(exercise.misconceptions), "a misconception that no planted answer shows, or none is named"


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
