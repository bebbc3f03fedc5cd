"""Find an exercise and check an answer: in one process for a learner, in two for a stranger's code."""

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import numpy as np

from course.asking.plain import Plain, what
from course.asking.replies import RETURNED, Reply, replies_of
from course.exercises.exercise import Case, Exercise, Finding, Verdict
from course.exercises.slips import likely_cause
from transferkit.errors import UsageError


def lesson_modules(package: str) -> tuple[ModuleType, ...]:
    """The modules of a package whose names begin with "lesson", in the order of their names."""
    names = sorted(found.name for found in iter_modules(import_module(package).__path__))
    return tuple(import_module(f"{package}.{name}") for name in names if name.startswith("lesson"))


MODULES = lesson_modules("course.exercises")


def exercises(lesson: str = "") -> tuple[Exercise, ...]:
    """The exercises of a lesson ("04") in their order, or of all lessons. Raises UsageError for an unknown lesson."""
    every: tuple[Exercise, ...] = tuple(exercise for module in MODULES for exercise in module.EXERCISES)
    lessons = sorted({exercise.lesson for exercise in every})
    if lesson and lesson not in lessons:
        raise UsageError(f"lesson '{lesson}' has no exercises: choose {', '.join(lessons)}.")
    return tuple(exercise for exercise in every if lesson in ("", exercise.lesson))


def get_exercise(name: str) -> Exercise:
    """The exercise called `name`. Raises UsageError with all names if there is none."""
    found = {exercise.name: exercise for exercise in exercises()}
    if name not in found:
        raise UsageError(f"there is no exercise '{name}': choose {', '.join(found)}.")
    return found[name]


def check(name: str, answer: object, seed: int = 0) -> Verdict:
    """Try a learner's answer to the exercise `name` on random cases; a notebook shows what is wrong, and why.

    Never raises, whatever the answer does, but for a person who interrupts it. Raises UsageError if there is no such
    exercise.
    """
    exercise = get_exercise(name)
    cases = cases_of(exercise, seed)
    return _verdict(exercise, cases, replies_of(exercise.ask, answer, [case.given for case in cases]))


def points(name: str, answer: object, seed: int = 0) -> int:
    """The points of an answer, all or none, as nbgrader reads them from the last line of a cell."""
    return check(name, answer, seed).score


def cases_of(exercise: Exercise, seed: int) -> tuple[Case, ...]:
    """The cases that `seed` draws."""
    return exercise.pose(np.random.default_rng(seed))


def verdict_on(exercise: Exercise, replies: Sequence[Reply], seed: int) -> Verdict:
    """The verdict on replies to the cases that `seed` draws. Runs none of the answer's code, and never raises."""
    return _verdict(exercise, cases_of(exercise, seed), replies)


def _verdict(exercise: Exercise, cases: Sequence[Case], replies: Sequence[Reply]) -> Verdict:
    verdict = Verdict(exercise.name, "wrong", exercise.points, len(cases))
    if len(replies) != len(cases):
        replied = "there is 1 reply" if len(replies) == 1 else f"there are {len(replies)} replies"
        return replace(verdict, state="error", case=cases[0].name, seen=f"{replied} to {len(cases)} cases.")
    if all(reply.value is None and not reply.error for reply in replies):
        return replace(verdict, state="open")
    for case, reply in zip(cases, replies, strict=True):
        if reply.error.startswith(RETURNED):
            return replace(verdict, case=case.name, seen=_of_another_form(exercise, reply.error.removeprefix(RETURNED)))
        if reply.error:
            return replace(verdict, state="error", case=case.name, seen=reply.error)
        if finding := _judge(exercise, case, reply.value):
            key, thought = _cause(exercise, finding, cases, replies)
            return replace(verdict, case=case.name, seen=finding.seen, misconception=key, thought=thought)
    return replace(verdict, state="passed")


def _of_another_form(exercise: Exercise, came: str) -> str:
    if came == "None":
        return "your answer returned None: does every way through it end in `return`?"
    return f"your answer returned {came}; what is asked for is {exercise.form}."


def _cause(exercise: Exercise, finding: Finding, cases: Sequence[Case], replies: Sequence[Reply]) -> tuple[str, str]:
    if key := finding.misconception:
        return key, exercise.misconceptions[key]
    pairs = [(case, reply.value) for case, reply in zip(cases, replies, strict=True) if not reply.error]
    return likely_cause(exercise, pairs)


def _judge(exercise: Exercise, case: Case, value: Plain) -> Finding | None:
    if value is None:
        return Finding(_of_another_form(exercise, "None"))
    try:
        return exercise.judge(case, value)
    except Exception:  # the data may have any form
        return Finding(_of_another_form(exercise, what(value)))
