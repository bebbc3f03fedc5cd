"""What an exercise is made of: cases, a way to ask an answer, a judge that never sees the answer's code, a verdict."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

import numpy as np

from course.asking import Ask
from course.asking.plain import Plain
from course.exercises.difference import difference

Answer = Callable[["Case"], Plain]
Judge = Callable[["Case", Any], "Finding | None"]
State = Literal["passed", "wrong", "error", "open"]
_SIGNS: dict[State, str] = {"passed": "✓", "wrong": "✗", "error": "!", "open": "○"}


@dataclass(frozen=True)
class Case:
    """One trial of an answer: its name in words, as in "n=3 of 5 layers", and two lots of plain data.

    `given` holds what describes the arguments of the learner's function, and nothing else, for it goes into the
    sandbox. `truth` stays with the judge; it is empty where the judge works out from `given` what is right.
    """

    name: str
    given: Mapping[str, Any]
    truth: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """What is wrong with an answer in one case.

    `seen` says it in a sentence with the numbers. `misconception` is the likely cause, a key of the exercise's
    `misconceptions`; it is empty if no cause is likely.
    """

    seen: str
    misconception: str = ""


@dataclass(frozen=True)
class Exercise:
    """One exercise of a lesson, named after the function or value that it asks for.

    `pose` draws the cases from a generator; those on which an answer may easily be wrong are posed whatever is drawn.
    `ask` gives what a case holds as `given` to the learner's object, in the process where that object lives, and
    returns what came out (None if nothing did) in a form that `plain` accepts; it is `find_ask` of the lesson and the
    name. `form` names what is asked for, as in "a list of rows". `judge` compares what came out with the truth and
    returns a Finding, or None if it is right. It takes nothing for granted of what came out.

    `misconceptions` states each likely one in a sentence. The judge names one that it can see in a single case.
    `signatures` gives what the others would answer (several answers, if they come in several disguises): such a one is
    named only if all replies are what it would answer. `right`, if given, is the true answer to a case, by which common
    slips of any exercise are told (see `course.exercises.slips`).
    """

    name: str
    lesson: str
    title: str
    points: int
    pose: Callable[[np.random.Generator], tuple[Case, ...]]
    ask: Ask
    form: str
    judge: Judge
    misconceptions: Mapping[str, str]
    signatures: Mapping[str, Answer | tuple[Answer, ...]] = field(default_factory=dict)
    right: Answer | None = None
    tolerance: float = 1e-5


@dataclass(frozen=True)
class Verdict:
    """The judgement on one answer.

    `state` is passed, wrong, error (the answer raised one) or open (a stub that does nothing: not begun). `case` names
    the first case that failed, `seen` says what happened there, `misconception` is the key of the likely cause and
    `thought` states it in a sentence. All four are empty where they do not apply.
    """

    exercise: str
    state: State
    points: int
    cases: int
    case: str = ""
    seen: str = ""
    misconception: str = ""
    thought: str = ""

    @property
    def score(self) -> int:
        """All points if passed, otherwise none."""
        return self.points if self.state == "passed" else 0

    def __str__(self) -> str:
        return " ".join(part for part in (self._headline(), *self._details()) if part)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        details = "".join(f"<br>{escape(part)}" for part in self._details())
        colour = "#1a7f37" if self.state == "passed" else "#6e7781" if self.state == "open" else "#b35900"
        box = f"border-left: 4px solid {colour}; padding: 4px 12px; margin: 4px 0"
        return f'<div role="status" style="{box}"><b>{escape(self._headline())}</b>{details}</div>'

    def _headline(self) -> str:
        sign = f"{_SIGNS[self.state]} {self.exercise}:"
        points = f"{self.score} of {self.points} {'point' if self.points == 1 else 'points'}"
        if self.state == "passed":
            return f"{sign} right: {points}{f', in all {self.cases} cases' if self.cases > 1 else ''}."
        if self.state == "open":
            todo = "Write your answer where the stub returns None, and run this cell again"
            return f"{sign} not begun. {todo} ({points})."
        return f"{sign} {'not yet' if self.state == 'wrong' else 'your code raised an error'} ({points})."

    def _details(self) -> tuple[str, ...]:
        if self.state in ("passed", "open"):
            return ()
        where = f"With {self.case}: {self.seen}" if self.case else self.seen
        return (_ended(where), f"A common reason: {self.thought}" if self.thought else "")


def _ended(sentence: str) -> str:
    """With a full stop, which the text of an error may lack."""
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def judge_by(what: str, right: Answer, tolerance: float = 1e-5) -> Judge:
    """A judge for answers that are numbers, words or arrays.

    `what` names the answer in a sentence, as in "your interval". `right` gives the true answer to a case. `tolerance`
    is that of `difference`.
    """

    def judge(case: Case, value: Any) -> Finding | None:
        found = difference(right(case), value, tolerance)
        return Finding(f"{what}: {found}.") if found else None

    return judge
