"""What a check says: passed, not yet, or not begun, in words that a learner can go on from."""

from dataclasses import dataclass
from html import escape
from typing import Literal

State = Literal["passed", "wrong", "error", "open"]
_SIGNS: dict[State, str] = {"passed": "✓", "wrong": "✗", "error": "!", "open": "○"}


@dataclass(frozen=True)
class Verdict:
    """The judgement on one answer.

    `state` is passed, wrong, error (the answer raised one) or open (it returns None: not begun). `case` names the
    first case that failed, `seen` what happened there, `misconception` the key of the likely wrong thought and
    `thought` that thought in a sentence; all empty where they do not apply.
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
        """All points when passed, else none."""
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
        if self.state == "passed":
            return f"{sign} right, in all {self.cases} cases."
        if self.state == "open":
            return f"{sign} not begun. Write your answer where the stub returns None, and run this cell again."
        return f"{sign} not yet." if self.state == "wrong" else f"{sign} your code raised an error."

    def _details(self) -> tuple[str, ...]:
        if self.state in ("passed", "open"):
            return ()
        return (f"With {self.case}: {self.seen}", f"A common reason: {self.thought}" if self.thought else "")
