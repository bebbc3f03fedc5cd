"""Why an answer is wrong: a misconception or a common slip is named only if all replies are what it would answer."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from course.asking.plain import Plain
from course.exercises.difference import difference
from course.exercises.exercise import Answer, Case, Exercise

Pair = tuple[Case, Plain]
SLIPS = {
    "hundredfold": "it is 100 times what it should be: fractions are asked for, not percentages or points.",
    "hundredth": "it is a hundredth of what it should be: points or percentages are asked for, not fractions.",
    "sign": "it has the other sign: you subtracted the other way round.",
    "inverted": "it is the opposite throughout: True stands where False belongs.",
    "turned": "rows and columns are swapped.",
    "order": "these are the right values in another order.",
    "one more": "it is one more than it should be, throughout.",
    "one less": "it is one less than it should be, throughout.",
    "rounded": "it is rounded: return the number as it is.",
    "absolute": "the sign is lost: negative values came out as positive.",
}


def likely_cause(exercise: Exercise, pairs: Sequence[Pair]) -> tuple[str, str]:
    """The key and the sentence of what explains all replies, given with their cases; both empty if nothing does."""
    for key, answers in exercise.signatures.items():
        variants = answers if isinstance(answers, tuple) else (answers,)
        if any(_fits(variant, pairs, exercise.tolerance) for variant in variants):
            return key, exercise.misconceptions[key]
    if exercise.right is not None:
        right = exercise.right
        for key, change in _changes():
            if _fits(lambda case, change=change: change(right(case)), pairs, exercise.tolerance):  # type: ignore[misc]
                return key, SLIPS[key]
        if _reordered(right, pairs, exercise.tolerance):
            return "order", SLIPS["order"]
    return "", ""


def _fits(answer: Answer, pairs: Sequence[Pair], tolerance: float) -> bool:
    try:
        return all(not difference(answer(case), value, tolerance) for case, value in pairs)
    except Exception:  # what the misconception does with some case, or odd data
        return False


def _changes() -> Iterator[tuple[str, Callable[[Plain], Plain]]]:
    yield "hundredfold", lambda value: _each(value, float, lambda one: 100 * one)
    yield "hundredth", lambda value: _each(value, float, lambda one: one / 100)
    yield "sign", lambda value: _each(value, float, lambda one: -one)
    yield "absolute", lambda value: _each(value, float, abs)
    yield "inverted", lambda value: _each(value, bool, lambda one: not one)
    yield "one more", lambda value: _each(value, int, lambda one: one + 1)
    yield "one less", lambda value: _each(value, int, lambda one: one - 1)
    yield "turned", lambda value: value.T if isinstance(value, np.ndarray) else None
    for digits in range(5):
        yield "rounded", lambda value, digits=digits: _each(value, float, lambda one: np.round(one, digits))  # type: ignore[misc]


def _each(value: Any, kind: type, change: Callable[[Any], Any]) -> Any:
    """A value with `change` made to its numbers of one kind, float, int or bool, and to no others."""
    if isinstance(value, list):
        return [_each(one, kind, change) for one in value]
    if isinstance(value, np.ndarray):
        kinds = {float: "f", int: "iu", bool: "b"}[kind]
        return change(value) if value.dtype.kind in kinds else value
    return change(value) if type(value) is kind else value


def _reordered(right: Answer, pairs: Sequence[Pair], tolerance: float) -> bool:
    try:
        return all(not difference(_sorted(right(case)), _sorted(value), tolerance) for case, value in pairs)
    except Exception:
        return False


def _sorted(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return np.sort(value)
    if isinstance(value, list):
        return sorted(value)
    raise TypeError("it has no order")
