"""An answer's replies to the cases of an exercise."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from course.asking import Ask
from course.asking.plain import Plain, plain

LONGEST = 300  # characters of an error's message


@dataclass(frozen=True)
class Reply:
    """An answer's reply to one case: plain data, or the error that it raised, in one line."""

    value: Plain = None
    error: str = ""


def replies_of(ask: Ask, answer: object, given: Iterable[Mapping[str, Any]]) -> list[Reply]:
    """The answer's reply to each case, of which only the arguments are known here. Runs the answer's code."""
    return [_reply(ask, answer, arguments) for arguments in given]


def describe(problem: BaseException) -> str:
    """An error of a learner's code in one line, even if its own text raises."""
    try:
        return f"{type(problem).__name__}: {problem}"[:LONGEST]
    except BaseException:
        return type(problem).__name__


def _reply(ask: Ask, answer: object, arguments: Mapping[str, Any]) -> Reply:
    try:
        return Reply(plain(ask(answer, arguments)))
    except Exception as problem:  # a learner's code may raise anything
        return Reply(error=describe(problem))
