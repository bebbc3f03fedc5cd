"""Grade one submission: one sandbox runs its cells, another judges what they return."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

import msgspec

from course.exercises import Exercise, Verdict, cases_of
from course.exercises.plain import encode
from course.grading.sandbox import SandboxLimits
from course.grading.session import EndedError, Reason, Session
from course.grading.submissions import printable

State = Literal[
    "passed", "wrong", "error", "open", "missing", "timeout", "memory", "processes", "died", "output",
    "unreadable", "not graded",
]  # fmt: skip
ASKER, JUDGE = "course.grading.asker", "course.grading.judge"
UNGRADED: tuple[State, ...] = ("unreadable", "not graded")
ALONE = " (The cell is run on its own: it must import or define everything it uses.)"
LONGEST = 400  # characters about an answer


@dataclass(frozen=True)
class Grade:
    """The grade of one exercise of one student; `case`, `seen`, `misconception` and `thought` are those of a Verdict.

    `state` is that of the verdict, or missing (no cell holds this exercise), timeout, memory, processes, died or output
    (what ended the answer), unreadable (the file is not a notebook) or not graded (not the student's fault).
    """

    student: str
    exercise: str
    points: int
    of: int
    state: State
    case: str = ""
    seen: str = ""
    misconception: str = ""
    thought: str = ""


@dataclass(frozen=True)
class Setup:
    """How a class is graded: exercises, the secret seed of their cases, limits, and whether sandboxes are used."""

    exercises: tuple[Exercise, ...]
    seed: int
    limits: SandboxLimits
    enclosed: bool = True


class Grader:
    """Grades one submission after the other; use it in a `with`, in one thread."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._judge = _Restarting(lambda: Session(JUDGE, setup.limits, enclosed=setup.enclosed))

    def __enter__(self) -> "Grader":
        return self

    def __exit__(self, *error: object) -> None:
        self._judge.close()

    def grade(self, student: str, answers: dict[str, str]) -> tuple[Grade, ...]:
        """The grades of a student, given the source of each exercise's cell. Raises nothing, whatever the code does."""
        with _Restarting(lambda: Session(ASKER, self._setup.limits, enclosed=self._setup.enclosed)) as asker:
            return tuple(
                self._one(exercise, student, answers.get(exercise.name), asker) for exercise in self._setup.exercises
            )

    def _one(self, exercise: Exercise, student: str, source: str | None, asker: "_Restarting") -> Grade:
        if source is None:
            return without_answer(exercise, student, "missing", "no cell of the notebook holds this exercise.")
        limits = self._setup.limits
        try:
            answer = asker.ask(_request(exercise, source, self._setup.seed), limits.seconds)
        except EndedError as problem:
            return _ended(exercise, student, problem.reason, limits)
        except NotStartedError:
            return without_answer(exercise, student, "not graded", "the sandbox did not start.")
        return self._verdict(exercise, student, answer)

    def _verdict(self, exercise: Exercise, student: str, answer: bytes) -> Grade:
        head = msgspec.json.encode((exercise.name, self._setup.seed))
        try:
            said = self._judge.ask(head + b"\n" + answer, self._setup.limits.seconds)
        except EndedError as problem:
            if problem.reason == "machine":
                return _ended(exercise, student, problem.reason, self._setup.limits)
            return without_answer(exercise, student, "output", "the answer could not be judged within the limits.")
        except NotStartedError:
            return without_answer(exercise, student, "not graded", "the judge did not start.")
        return _grade(student, msgspec.json.decode(said, type=Verdict))


def without_answer(exercise: Exercise, student: str, state: State, why: str) -> Grade:
    """The grade of an exercise without an answer to judge."""
    return Grade(student, exercise.name, 0, exercise.points, state, seen=_short(why))


class NotStartedError(Exception):
    """A sandbox did not start; no answer is to blame."""


class _Restarting:
    """A session that is started when it is first needed, and again after it has ended."""

    def __init__(self, start: Callable[[], Session]) -> None:
        self._start = start
        self._session: Session | None = None

    def __enter__(self) -> "_Restarting":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, request: bytes, seconds: float) -> bytes:
        if self._session is None:
            self._session = _started(self._start)
        try:
            return self._session.ask(request, seconds)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


def _started(start: Callable[[], Session]) -> Session:
    with ExitStack() as stack:
        try:
            session = stack.enter_context(start())
            session.wait_until_ready()
        except (EndedError, OSError) as problem:
            raise NotStartedError from problem
        stack.pop_all()
        return session


def _request(exercise: Exercise, source: str, seed: int) -> bytes:
    cases: list[Any] = [{"name": case.name, "given": dict(case.given)} for case in cases_of(exercise, seed)]
    return encode({"exercise": exercise.name, "source": source, "cases": cases})


def _ended(exercise: Exercise, student: str, reason: Reason, limits: SandboxLimits) -> Grade:
    sentences = {
        "timeout": f"no answer within {limits.seconds:g} seconds.",
        "memory": f"more than {limits.memory // 2**20} MB of memory were used.",
        "processes": "the code started processes without end.",
        "died": "the code ended the process that ran it.",
        "output": f"the answer is larger than {limits.answer // 2**20} MB.",
        "machine": "the machine ran out of memory while this was running.",
    }
    return without_answer(exercise, student, "not graded" if reason == "machine" else reason, sentences[reason])


def _grade(student: str, verdict: Verdict) -> Grade:
    seen = _short(verdict.seen) + (ALONE if verdict.seen.startswith("NameError") else "")
    return Grade(
        student, verdict.exercise, verdict.score, verdict.points, verdict.state, verdict.case,
        seen, verdict.misconception, verdict.thought,
    )  # fmt: skip


def _short(text: str) -> str:
    shown = printable(" ".join(text.split()))
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
