"""Ask an answer and judge it: in one process for a learner, in two for a stranger's code."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from course.exercises.catalogue import get_exercise
from course.exercises.exercise import Case, Exercise, Finding
from course.exercises.plain import Plain, plain
from course.exercises.verdict import Verdict

LONGEST = 300  # characters of an error's message


@dataclass(frozen=True)
class Reply:
    """What an answer made of one case: plain data, or else the error that it raised, in one line."""

    value: Plain = None
    error: str = ""


def check(name: str, answer: object, seed: int = 0) -> Verdict:
    """Try a learner's answer to the exercise `name` on random cases; a notebook shows what is wrong, and why.

    Never raises for what the answer does. Raises UsageError for an exercise that does not exist.
    """
    exercise = get_exercise(name)
    return verdict_on(exercise, replies_of(exercise, answer, cases_of(exercise, seed)), seed)


def points(name: str, answer: object, seed: int = 0) -> int:
    """The points of an answer, all or none, as nbgrader takes them from the last line of a cell."""
    return check(name, answer, seed).score


def cases_of(exercise: Exercise, seed: int) -> tuple[Case, ...]:
    """The cases that `seed` draws."""
    return exercise.pose(np.random.default_rng(seed))


def replies_of(exercise: Exercise, answer: object, cases: Sequence[Case]) -> list[Reply]:
    """What the answer makes of each of the cases. Runs the answer's code."""
    return [_ask(exercise, answer, case) for case in cases]


def verdict_on(exercise: Exercise, replies: Sequence[Reply], seed: int) -> Verdict:
    """The judgement on replies to the cases that `seed` draws. Runs none of the answer's code, and never raises."""
    cases = cases_of(exercise, seed)
    verdict = Verdict(exercise.name, "wrong", exercise.points, len(cases))
    if len(replies) != len(cases):
        return replace(verdict, state="error", case=cases[0].name, seen=f"{len(replies)} of {len(cases)} cases came.")
    if all(reply.value is None and not reply.error for reply in replies):
        return replace(verdict, state="open")
    for case, reply in zip(cases, replies, strict=True):
        if reply.error:
            return replace(verdict, state="error", case=case.name, seen=reply.error)
        if finding := _judge(exercise, case, reply.value):
            thought = exercise.misconceptions[finding.misconception] if finding.misconception else ""
            return replace(
                verdict, case=case.name, seen=finding.seen, misconception=finding.misconception, thought=thought
            )
    return replace(verdict, state="passed")


def _ask(exercise: Exercise, answer: object, case: Case) -> Reply:
    try:
        return Reply(plain(exercise.ask(answer, case)))
    except Exception as problem:  # whatever a learner's code may raise
        return Reply(error=f"{type(problem).__name__}: {problem}"[:LONGEST])


def _judge(exercise: Exercise, case: Case, value: Plain) -> Finding | None:
    if value is None:
        return Finding("your answer returned None.")
    try:
        return exercise.judge(case, value)
    except Exception as problem:  # data of any shape may have come
        return Finding(
            f"what you returned is not of the form that was asked for ({type(problem).__name__}: {problem})."
        )
