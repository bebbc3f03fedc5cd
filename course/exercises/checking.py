"""Find an exercise and check an answer: in one process for a learner, in two for a stranger's code."""

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import numpy as np

from course.asking.plain import Plain
from course.asking.replies import Reply, replies_of
from course.exercises.exercise import Case, Exercise, Finding, Verdict
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

    Never raises, whatever the answer does. Raises UsageError if there is no such exercise.
    """
    exercise = get_exercise(name)
    given = [case.given for case in cases_of(exercise, seed)]
    return verdict_on(exercise, replies_of(exercise.ask, answer, given), seed)


def points(name: str, answer: object, seed: int = 0) -> int:
    """The points of an answer, all or none, as nbgrader reads them from the last line of a cell."""
    return check(name, answer, seed).score


def cases_of(exercise: Exercise, seed: int) -> tuple[Case, ...]:
    """The cases that `seed` draws."""
    return exercise.pose(np.random.default_rng(seed))


def verdict_on(exercise: Exercise, replies: Sequence[Reply], seed: int) -> Verdict:
    """The verdict on replies to the cases that `seed` draws. Runs none of the answer's code, and never raises."""
    cases = cases_of(exercise, seed)
    verdict = Verdict(exercise.name, "wrong", exercise.points, len(cases))
    if len(replies) != len(cases):
        seen = f"there are {len(replies)} replies to {len(cases)} cases."
        return replace(verdict, state="error", case=cases[0].name, seen=seen)
    if all(reply.value is None and not reply.error for reply in replies):
        return replace(verdict, state="open")
    for case, reply in zip(cases, replies, strict=True):
        if reply.error:
            return replace(verdict, state="error", case=case.name, seen=reply.error)
        if finding := _judge(exercise, case, reply.value):
            key = finding.misconception
            thought = exercise.misconceptions[key] if key else ""
            return replace(verdict, case=case.name, seen=finding.seen, misconception=key, thought=thought)
    return replace(verdict, state="passed")


def _judge(exercise: Exercise, case: Case, value: Plain) -> Finding | None:
    if value is None:
        return Finding("your answer returned None.")
    try:
        return exercise.judge(case, value)
    except Exception as problem:  # the data may have any form
        return Finding(
            f"what you returned is not of the form that was asked for ({type(problem).__name__}: {problem})."
        )
