"""One submission: what an answer does costs only that answer."""

from functools import partial

import pytest

from course.exercises import exercises, get_exercise
from course.exercises.solutions import solution_sources, stub_sources
from course.grading.attacks import RIGHT
from course.grading.grade import ASKER, JUDGE, Grader, Setup
from course.grading.sandbox import SandboxLimits
from course.grading.session import EndedError, Reason

MURDER = "import os; os.kill(os.getppid(), 9)"
MISSING = RIGHT.replace("from torch import nn", "pass")
LEFT = "import os\nif os.path.exists('/tmp/left'): raise ValueError('found')\nopen('/tmp/left', 'w').close()"


@pytest.mark.long
@pytest.mark.usefixtures("sandbox")
def test_a_sandbox_that_was_ended_is_started_again() -> None:
    chop = get_exercise("chop")
    with Grader(Setup((chop, chop), 3, SandboxLimits())) as grader:
        assert [grade.state for grade in grader.grade("eve", {"chop": MURDER})] == ["died", "died"]
        assert [grade.points for grade in grader.grade("ada", {"chop": RIGHT})] == [3, 3]


@pytest.mark.long
@pytest.mark.usefixtures("sandbox")
def test_nothing_is_left_for_the_next_student_and_a_name_error_says_that_a_cell_runs_alone() -> None:
    with Grader(Setup((get_exercise("chop"),), 3, SandboxLimits())) as grader:
        for student in ("ben", "cy"):
            (grade,) = grader.grade(student, {"chop": LEFT + RIGHT})
            assert grade.state == "passed"
        (grade,) = grader.grade("dee", {"chop": MISSING})
        assert grade.seen.startswith("NameError: name 'nn' is not defined (The cell is run on its own")


@pytest.mark.long
@pytest.mark.usefixtures("sandbox")
def test_the_solution_of_every_exercise_passes_and_its_stub_is_open() -> None:
    with Grader(Setup(exercises(), 3, SandboxLimits())) as grader:
        solved = grader.grade("ada", solution_sources())
        stubs = grader.grade("ben", stub_sources())
    assert [(grade.exercise, grade.seen) for grade in solved if grade.state != "passed"] == []
    assert {grade.state for grade in stubs} == {"open"}


class Ending:
    """A session that ends one of the two programs for a given reason."""

    def __init__(self, program: str, limits: SandboxLimits, *, enclosed: bool, ended: str, reason: Reason) -> None:
        self._reason = reason if program == ended else None

    def __enter__(self) -> "Ending":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def wait_until_ready(self) -> None:
        pass

    def ask(self, request: bytes, seconds: float) -> bytes:
        if self._reason:
            raise EndedError(self._reason)
        return b"an answer"

    def close(self) -> None:
        pass


@pytest.mark.parametrize("program", [ASKER, JUDGE])
def test_a_machine_without_memory_costs_no_points(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("course.grading.grade.Session", partial(Ending, ended=program, reason="machine"))
    with Grader(Setup((get_exercise("chop"),), 3, SandboxLimits())) as grader:
        (grade,) = grader.grade("ada", {"chop": RIGHT})
    assert (grade.state, grade.seen) == ("not graded", "the machine ran out of memory while this was running.")


@pytest.mark.parametrize("reason", ["timeout", "memory", "died"])
def test_an_answer_that_ends_the_judge_is_no_answer(reason: Reason, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("course.grading.grade.Session", partial(Ending, ended=JUDGE, reason=reason))
    with Grader(Setup((get_exercise("chop"),), 3, SandboxLimits())) as grader:
        (grade,) = grader.grade("eve", {"chop": RIGHT})
    assert (grade.state, grade.points) == ("output", 0)
