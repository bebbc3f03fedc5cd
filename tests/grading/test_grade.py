"""One submission: what one answer does costs that answer, and no other one."""

import pytest

from course.attacks import RIGHT
from course.solutions import solution_sources, stub_sources
from transferkit.checks import exercises, get_exercise
from transferkit.grading.grade import Grader, Setup
from transferkit.grading.limits import Limits

MURDER = "import os; os.kill(os.getppid(), 9)"
MISSING = RIGHT.replace("from torch import nn", "pass")
LEFT = "import os\nif os.path.exists('/tmp/left'): raise ValueError('found')\nopen('/tmp/left', 'w').close()"


@pytest.mark.long
@pytest.mark.usefixtures("sandbox")
def test_a_sandbox_that_was_ended_is_started_again() -> None:
    chop = get_exercise("chop")
    with Grader(Setup((chop, chop), 3, Limits())) as grader:
        assert [grade.state for grade in grader.grade("eve", {"chop": MURDER})] == ["died", "died"]
        assert [grade.points for grade in grader.grade("ada", {"chop": RIGHT})] == [3, 3]


@pytest.mark.long
@pytest.mark.usefixtures("sandbox")
def test_nothing_is_left_for_the_next_student_and_a_cell_is_told_that_it_runs_alone() -> None:
    with Grader(Setup((get_exercise("chop"),), 3, Limits())) as grader:
        for student in ("ben", "cy"):
            (grade,) = grader.grade(student, {"chop": LEFT + RIGHT})
            assert grade.state == "passed"
        (grade,) = grader.grade("dee", {"chop": MISSING})
        assert grade.seen.startswith("NameError: name 'nn' is not defined (The cell is run on its own")


@pytest.mark.long
@pytest.mark.usefixtures("sandbox")
def test_the_solution_of_every_exercise_passes_and_its_stub_is_open() -> None:
    with Grader(Setup(exercises(), 3, Limits())) as grader:
        solved = grader.grade("ada", solution_sources())
        stubs = grader.grade("ben", stub_sources())
    assert [(grade.exercise, grade.seen) for grade in solved if grade.state != "passed"] == []
    assert {grade.state for grade in stubs} == {"open"}
