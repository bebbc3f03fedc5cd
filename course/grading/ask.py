"""Ask all answers of one notebook, in a sandbox of its own."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal

import msgspec

from course.asking.answers import Answer
from course.asking.limits import SandboxLimits
from course.asking.plain import Plain, decode, encode
from course.exercises import Exercise, cases_of
from course.grading.session import EndedError, Program, Reason, Session
from transferkit.errors import DataError

ASKER = "course.asking.asker"
Ended = Reason | Literal["not started"]


@dataclass(frozen=True)
class Setup:
    """How a class is graded: exercises of one lesson, the secret seed of their cases, limits, whether in sandboxes."""

    exercises: tuple[Exercise, ...]
    seed: int
    limits: SandboxLimits
    enclosed: bool = True


@dataclass(frozen=True)
class Came:
    """What came out of a notebook: its answers, and for each exercise the bytes of its replies, or why there are none.

    `trouble` says in a sentence why its cells could not be read, if so.
    """

    answers: Mapping[str, Answer] = field(default_factory=dict)
    replies: Mapping[str, bytes | Ended] = field(default_factory=dict)
    trouble: str = ""


def ask_all(setup: Setup, cells: Sequence[tuple[str, str]]) -> Came:
    """Find the answers in the cells (pairs of exercise and code), and ask each. Never raises, whatever they hold."""
    names = [exercise.name for exercise in setup.exercises]
    program = Program(ASKER, (setup.exercises[0].lesson,))
    with Restarting(lambda: Session(program, setup.limits, enclosed=setup.enclosed)) as asker:
        request = encode({"cells": [list(cell) for cell in cells], "names": list(names)})
        found = asker.ask(request, setup.limits.seconds)
        if not isinstance(found, bytes):
            return Came(replies=dict.fromkeys(names, found))
        try:
            plain: Any = decode(found)
            if isinstance(plain.get("ended"), int):  # only parsing ran, so a machine without memory may have ended it
                return Came(replies=dict.fromkeys(names, "died"))
            answers = msgspec.convert(plain, dict[str, Answer])
        except (DataError, msgspec.ValidationError, AttributeError):
            return Came(trouble="its cells cannot be read: they are too deeply nested, or no code at all.")
        asked = {
            exercise.name: asker.ask(_request(exercise, answers[exercise.name], setup.seed), setup.limits.seconds)
            for exercise in setup.exercises
            if exercise.name in answers
        }
        return Came(answers, asked)


class Restarting:
    """A session that is started when it is first needed, and again after it has ended."""

    def __init__(self, start: Callable[[], Session]) -> None:
        self._start = start
        self._session: Session | None = None

    def __enter__(self) -> "Restarting":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, request: bytes, seconds: float) -> bytes | Ended:
        """The answer to a request, within `seconds` of the process's own time; or why there is none."""
        try:
            if self._session is None:
                self._session = _started(self._start)
            return self._session.ask(request, seconds)
        except EndedError as problem:
            started = self._session is not None
            self.close()
            return problem.reason if started else "not started"
        except OSError:
            self.close()
            return "not started"
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the process."""
        if self._session is not None:
            self._session.close()
            self._session = None


def _started(start: Callable[[], Session]) -> Session:
    with ExitStack() as stack:
        session = stack.enter_context(start())
        session.wait_until_ready()
        stack.pop_all()
        return session


def _request(exercise: Exercise, answer: Answer, seed: int) -> bytes:
    """All that the sandbox gets to know: the arguments of the cases, and nothing of what is right."""
    cases: list[Plain] = [dict(case.given) for case in cases_of(exercise, seed)]
    return encode({"exercise": exercise.name, "source": answer.source, "borrowed": answer.borrowed, "cases": cases})
