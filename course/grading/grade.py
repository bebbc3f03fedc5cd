"""The grades of one submission, judged from what came out of its sandbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from course.asking.answers import Answer
from course.asking.limits import SandboxLimits
from course.exercises import Exercise
from course.grading.ask import Came, Ended, Restarting, Setup, ask_all
from course.grading.judge import Judged
from course.grading.session import Program, Session
from course.grading.submissions import printable

State = Literal[
    "passed", "wrong", "error", "open", "missing", "timeout", "memory", "processes", "died", "output",
    "unreadable", "not graded",
]  # fmt: skip
JUDGE = Program("course.grading.judge", judges=True)
UNGRADED: tuple[State, ...] = ("unreadable", "not graded")
DOUBTFUL: tuple[State, ...] = ("timeout", "died", "not graded")  # what a crowded machine may have done
ALONE = " (The cell is run with the imports, functions and values of other cells that it names, and nothing else.)"
LONGEST = 400  # characters about an answer
LONGEST_SOURCE = 20_000


@dataclass(frozen=True)
class Grade:
    """The grade of one exercise of one student; `case`, `seen`, `misconception` and `thought` are those of a Verdict.

    `state` is that of the verdict, or missing (no cell holds this exercise), timeout, memory, processes, died or output
    (what ended the answer), unreadable (the file is not a notebook) or not graded (not the student's fault). `note` is
    what its student or a teacher should know beside; `source` is what was graded.
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
    note: str = ""
    source: str = ""


class Grader:
    """Grades one submission after the other; use it in a `with`, in one thread."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._judge = Restarting(lambda: Session(JUDGE, setup.limits, enclosed=setup.enclosed))

    def __enter__(self) -> "Grader":
        return self

    def __exit__(self, *error: object) -> None:
        self._judge.close()

    def grade(self, student: str, cells: Sequence[tuple[str, str]]) -> tuple[Grade, ...]:
        """The grades of a student, given the code cells as pairs of the exercise they are for and the code."""
        return self.judge(self.setup, student, ask_all(self.setup, cells))

    def judge(self, setup: Setup, student: str, came: Came) -> tuple[Grade, ...]:
        """The grades of a student, given what came out of the notebook. Raises nothing, whatever that is."""
        return tuple(self._one(setup, exercise, student, came) for exercise in setup.exercises)

    def _one(self, setup: Setup, exercise: Exercise, student: str, came: Came) -> Grade:
        if came.trouble:
            return without_answer(exercise, student, "unreadable", came.trouble)
        reply = came.replies.get(exercise.name)
        answer = came.answers.get(exercise.name, Answer(""))
        if reply is None:
            return without_answer(exercise, student, "missing", "no cell of the notebook holds this exercise.")
        if not isinstance(reply, bytes):
            return _ended(exercise, student, reply, setup.limits, answer)
        head = msgspec.json.encode((exercise.name, setup.seed))
        said = self._judge.ask(head + b"\n" + reply, setup.limits.seconds)
        if isinstance(said, bytes):
            return _grade(student, msgspec.json.decode(said, type=Judged), answer)
        if said in ("machine", "crowded", "not started"):
            return _ended(exercise, student, said, setup.limits, answer)
        return without_answer(exercise, student, "output", "the answer could not be judged within the limits.", answer)


def without_answer(exercise: Exercise, student: str, state: State, why: str, answer: Answer | None = None) -> Grade:
    """The grade of an exercise without anything to judge."""
    answer = answer or Answer("")
    return Grade(
        student, exercise.name, 0, exercise.points, state, seen=_short(why), note=_note(answer.notes),
        source=_shown(answer),
    )  # fmt: skip


def _ended(exercise: Exercise, student: str, reason: Ended, limits: SandboxLimits, answer: Answer) -> Grade:
    sentences = {
        "timeout": f"no answer within {limits.seconds:g} seconds of its own.",
        "memory": f"more than {limits.memory // 2**20} MB of memory were used.",
        "processes": "the code started processes without end.",
        "died": "the code ended the process that ran it.",
        "output": f"the answer is larger than {limits.answer // 2**20} MB.",
        "machine": "the machine ran out of memory while this was running.",
        "crowded": "the machine was too crowded to run this.",
        "not started": "the sandbox did not start.",
    }
    if reason == "machine" or reason == "crowded" or reason == "not started":
        return without_answer(exercise, student, "not graded", sentences[reason], answer)
    return without_answer(exercise, student, reason, sentences[reason], answer)


def _grade(student: str, judged: Judged, answer: Answer) -> Grade:
    verdict = judged.verdict
    state: State = "died" if judged.died else verdict.state
    seen = _short(verdict.seen) + (ALONE if verdict.seen.startswith("NameError") else "")
    notes = [*answer.notes, *(f"left out, as it raised an error here: {note}" for note in judged.notes)]
    return Grade(
        student, verdict.exercise, verdict.score, verdict.points, state, verdict.case, seen,
        verdict.misconception, verdict.thought, _note(notes), _shown(answer),
    )  # fmt: skip


def _note(notes: Sequence[str]) -> str:
    return _short(" ".join(notes))


def _shown(answer: Answer) -> str:
    """The source that was graded, line by line, with invisible characters as their codes."""
    whole = f"{answer.borrowed}\n\n{answer.source}" if answer.borrowed else answer.source
    shown = "\n".join(printable(line.replace("\t", "    ")) for line in whole.splitlines())
    return shown if len(shown) <= LONGEST_SOURCE else f"{shown[:LONGEST_SOURCE]}…"


def _short(text: str) -> str:
    shown = printable(" ".join(text.split()))
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
