"""One submission: what an answer does costs only that answer, and nobody gets a mark that is not earned."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest

from course.asking.limits import SandboxLimits
from course.asking.plain import encode
from course.exercises import exercises, get_exercise
from course.exercises.solutions import solution_sources, stub_sources
from course.grading.ask import ASKER, Setup, ask_all
from course.grading.attacks import RIGHT
from course.grading.grade import JUDGE, Grader
from course.grading.marks import ATTACKS, LEAKS
from course.grading.session import EndedError, Program, Reason

CHOP = get_exercise("chop")
MURDER = "import os; os.kill(os.getppid(), 9)"
MISSING = RIGHT.replace("from torch import nn", "pass")
LEFT = "import os\nif os.path.exists('/tmp/left'): raise ValueError('found')\nopen('/tmp/left', 'w').close()\n"


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    """A grader of `chop` whose judge all tests share."""
    with Grader(Setup((CHOP,), 3, SandboxLimits())) as one:
        yield one


def of_lesson(grader: Grader, lesson: str) -> Setup:
    return replace(grader.setup, exercises=exercises(lesson))


def rounds() -> list[dict[str, tuple[str, str]]]:
    """All attacks in as few notebooks as possible, each with an attack and its source for each exercise."""
    filled: list[dict[str, tuple[str, str]]] = []
    for attack, (_, answers) in ATTACKS.items():
        for exercise, source in answers.items():
            free = next((one for one in filled if exercise not in one), None)
            if free is None:
                filled.append(free := {})
            free[exercise] = (attack, source)
    return filled


@pytest.mark.long
@pytest.mark.usefixtures("sandbox")
def test_no_mark_is_taken_without_the_work(grader: Grader) -> None:
    setup = of_lesson(grader, "04")
    for answers in rounds():
        cells = [(exercise, source) for exercise, (_, source) in answers.items()]
        for grade in grader.judge(setup, "eve", ask_all(setup, cells)):
            attack = answers.get(grade.exercise, ("", ""))[0]
            assert grade.points == 0, attack
            if attack in ("import", "parent"):
                assert grade.state == "wrong", "there is nothing to be found"
    setup = of_lesson(grader, "02")
    assert {grade.points for grade in grader.judge(setup, "eve", ask_all(setup, list(LEAKS.items())))} == {0}


@pytest.mark.long
@pytest.mark.usefixtures("sandbox")
def test_a_sandbox_that_was_ended_is_started_again(grader: Grader) -> None:
    setup = replace(grader.setup, exercises=(CHOP, get_exercise("freeze")))
    cells = [("chop", MURDER), ("freeze", solution_sources()["freeze"])]
    grades = grader.judge(setup, "eve", ask_all(setup, cells))
    assert [grade.state for grade in grades] == ["died", "passed"]


@pytest.mark.long
@pytest.mark.usefixtures("sandbox")
def test_an_answer_is_graded_with_the_other_cells_that_it_needs_and_nothing_is_left_for_the_next(
    grader: Grader,
) -> None:
    helper = "def both(one, other):\n    return nn.Sequential(*deepcopy(one), *deepcopy(other))"
    answer = f"%time\n{LEFT}def chop(base, fresh, n):\n    return both(base[:n], fresh[n:])\nshow(trained)"
    cells = [("", "from torch import nn\nfrom copy import *"), ("", helper), ("chop", answer)]
    for student in ("ben", "cy"):
        (grade,) = grader.grade(student, [*cells, ("chop", stub_sources()["chop"])])
        assert grade.state == "passed"
        for words in ("stub of chop again", "no Python: %time", "line 7: NameError: name 'show'"):
            assert words in grade.note
        assert "found" not in grade.note
    assert grade.source.startswith("from torch import nn\nfrom copy import *\ndef both")


@pytest.mark.long
@pytest.mark.usefixtures("sandbox")
def test_a_name_error_says_what_a_cell_is_run_with(grader: Grader) -> None:
    (grade,) = grader.grade("eli", [("chop", MISSING)])
    assert grade.seen.startswith("NameError: name 'nn' is not defined (The cell is run with the imports")


@pytest.mark.long
@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("lesson", [f"{number:02}" for number in range(1, 9)])
def test_the_solution_of_every_exercise_passes(grader: Grader, lesson: str) -> None:
    setup, solved = of_lesson(grader, lesson), solution_sources()
    came = ask_all(setup, [(exercise.name, solved[exercise.name]) for exercise in setup.exercises])
    grades = grader.judge(setup, "ada", came)
    assert [(grade.exercise, grade.seen, grade.note) for grade in grades if grade.state != "passed" or grade.note] == []


class Ending:
    """A session that ends one of the two programs for a given reason."""

    def __init__(self, program: Program, limits: SandboxLimits, *, enclosed: bool, ended: str, reason: Reason) -> None:
        self._reason = reason if program.module == ended else None

    def __enter__(self) -> "Ending":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def wait_until_ready(self) -> None:
        pass

    def ask(self, request: bytes, seconds: float) -> bytes:
        if self._reason:
            raise EndedError(self._reason)
        return encode({"chop": {"source": RIGHT, "borrowed": "", "notes": []}})

    def close(self) -> None:
        pass


@pytest.fixture
def grade(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Reason], tuple[str, int, str]]:
    """The state, points and sentence of an answer whose asking or judging ends for a reason."""

    def graded(program: str, reason: Reason) -> tuple[str, int, str]:
        for module in ("ask", "grade"):
            monkeypatch.setattr(f"course.grading.{module}.Session", partial(Ending, ended=program, reason=reason))
        with Grader(Setup((CHOP,), 3, SandboxLimits())) as grader:
            (found,) = grader.grade("ada", [("chop", RIGHT)])
        return found.state, found.points, found.seen

    return graded


@pytest.mark.parametrize("program", [ASKER, JUDGE.module])
@pytest.mark.parametrize(("reason", "words"), [("machine", "ran out of memory"), ("crowded", "was too crowded")])
def test_a_crowded_machine_costs_no_points(
    grade: Callable[[str, str], tuple[str, int, str]], program: str, reason: str, words: str
) -> None:
    state, _, seen = grade(program, reason)
    assert state == "not graded"
    assert words in seen


@pytest.mark.parametrize("reason", ["timeout", "memory", "died"])
def test_an_answer_that_ends_the_judge_is_no_answer(
    grade: Callable[[str, str], tuple[str, int, str]], reason: str
) -> None:
    assert grade(JUDGE.module, reason)[:2] == ("output", 0)
