"""What the assistants' lesson plan says is true: its commands parse, its links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest

from course.batch.command import DEFAULT_MINUTES
from course.batch.grid import Grid, read_grid
from course.batch.page import NOT_RUN, OUTCOMES
from course.batch.tasks import Place, TaskLimits, find_notebooks, plan_tasks
from transferkit.__main__ import parser

ROOT = Path(__file__).parents[2]
PLAN = (ROOT / "course" / "assistants.md").read_text()
COMMANDS = re.findall(r"^python -m transferkit (.+)$", PLAN, re.MULTILINE)


@pytest.mark.parametrize("arguments", COMMANDS)
def test_its_commands_parse(arguments: str) -> None:
    assert parser().parse_args(shlex.split(arguments)).out in (Path("results"), Path("grades"))


def test_it_has_three_commands_and_says_what_each_outcome_means() -> None:
    assert [f"**{number}." in PLAN for number in (1, 2, 3, 4)] == [True, True, True, False]
    for outcome in OUTCOMES:
        assert f"| {outcome} |" in PLAN
    assert f"{DEFAULT_MINUTES:g} if you say nothing" in PLAN
    assert NOT_RUN in OUTCOMES


def test_its_grid_is_taken_by_all_lessons_and_makes_as_many_notebooks_as_it_says(tmp_path: Path) -> None:
    (tmp_path / "grid.yaml").write_text(PLAN.split("```yaml\n")[1].split("```")[0])
    notebooks = find_notebooks([ROOT / "notebooks"])
    grid = read_grid(tmp_path / "grid.yaml", [path.stem for path in notebooks])
    tasks = plan_tasks(notebooks, grid, {}, Place(tmp_path, tmp_path), TaskLimits())
    assert f"This makes {len(tasks)} notebooks of the eleven lessons" in PLAN
    assert len(notebooks) == 11


def test_its_python_plans_all_lessons(tmp_path: Path) -> None:
    (line,) = re.findall(r"^grid = (.+)$", PLAN, re.MULTILINE)
    grid = eval(line, {"Grid": Grid})
    assert plan_tasks(find_notebooks([ROOT / "notebooks"]), grid, {}, Place(tmp_path, tmp_path), TaskLimits())


def test_its_links_lead_to_files_of_the_repository() -> None:
    for target in re.findall(r"\]\((?!http|#)([^)#]+)\)", PLAN):
        assert (ROOT / "course" / target).exists(), target
