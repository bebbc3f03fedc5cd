"""An answer's replies to the cases of an exercise."""

import signal
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dis import get_instructions
from types import FrameType, FunctionType, TracebackType
from typing import Any, Self

from course.asking import Ask
from course.asking.forms import RaisedError
from course.asking.plain import FormError, Plain, plain, what

LONGEST = 300  # characters of an error's message
RETURNED = "returned: "  # begins an error that is none of the answer's code: what it returned has another form
_NOTHING = frozenset({"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE", "COPY_FREE_VARS"})


@dataclass(frozen=True)
class Reply:
    """An answer's reply to one case: plain data, or the error that it raised, in one line.

    An error that begins with RETURNED says what the answer returned, where that is not of the form that was asked for.
    Neither data nor an error is the reply of a stub.
    """

    value: Plain = None
    error: str = ""


def replies_of(ask: Ask, answer: object, given: Iterable[Mapping[str, Any]]) -> list[Reply]:
    """The answer's reply to each case, of which only the arguments are known here. Runs the answer's code.

    Nothing that the code raises comes out, unless a person interrupts it.
    """
    if answer is None or is_stub(answer):
        return [Reply() for _ in given]
    if not callable(answer) or isinstance(answer, type):
        kind = "the class instead of an object of it" if isinstance(answer, type) else what(answer)
        return [Reply(error=f"{RETURNED}{kind}") for _ in given]
    with _Interrupts() as interrupts:
        return [_reply(ask, _Called(answer), arguments, interrupts) for arguments in given]


def is_stub(answer: object) -> bool:
    """Whether it is a function that does nothing at all, as an exercise that was not begun."""
    if not isinstance(answer, FunctionType):
        return False
    steps = list(get_instructions(answer.__code__))
    return all(step.opname in _NOTHING for step in steps) and all(
        step.argval is None for step in steps if step.opname in ("LOAD_CONST", "RETURN_CONST")
    )


def describe(problem: BaseException) -> str:
    """An error of a learner's code in one line, even if its own text raises."""
    try:
        return f"{type(problem).__name__}: {problem}"[:LONGEST]
    except BaseException:
        return type(problem).__name__


class _Called:
    """An answer whose own errors are told from those in reading what it returned."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def __call__(self, *given: object) -> object:
        try:
            return self._answer(*given)
        except BaseException as problem:
            raise RaisedError from problem


class _Interrupts:
    """Notes whether a person interrupts (SIGINT) while an answer runs, whose code may raise the same error itself."""

    def __init__(self) -> None:
        self.came = False
        self._before: Any = None

    def __enter__(self) -> Self:
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler) and threading.current_thread() is threading.main_thread():
            self._before = handler
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, where: FrameType | None) -> None:
        self.came = True
        self._before(number, where)


def _reply(ask: Ask, answer: _Called, arguments: Mapping[str, Any], interrupts: _Interrupts) -> Reply:
    try:
        found = plain(ask(answer, arguments))
        return Reply(found) if found is not None else Reply(error=f"{RETURNED}None")
    except FormError as problem:
        return Reply(error=f"{RETURNED}{problem}"[:LONGEST])
    except RaisedError as problem:
        if isinstance(problem.__cause__, KeyboardInterrupt) and interrupts.came:
            raise problem.__cause__ from None
        return Reply(error=describe(problem.__cause__ or problem))
    except KeyboardInterrupt:
        if interrupts.came:
            raise
        return Reply(error="KeyboardInterrupt")
    except BaseException as problem:  # in reading an object that is odd, whatever that does
        return Reply(error=f"{RETURNED}something that cannot be read ({describe(problem)})"[:LONGEST])
