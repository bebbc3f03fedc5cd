"""What the assistants' lesson plan says is true: its commands parse, its links lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest

from transferkit.__main__ import parser
from transferkit.batch.grid import read_grid
from transferkit.batch.options import DEFAULT_MINUTES
from transferkit.batch.page import NOT_RUN, OUTCOMES

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


def test_its_grid_is_one(tmp_path: Path) -> None:
    (tmp_path / "grid.yaml").write_text(PLAN.split("```yaml\n")[1].split("```")[0])
    assert read_grid(tmp_path / "grid.yaml", []).sets("any") == [
        {"preset": "quick", "split": "random0"},
        {"preset": "quick", "split": "natural"},
    ]


def test_its_links_lead_to_files_of_the_repository() -> None:
    for target in re.findall(r"\]\((?!http|#)([^)#]+)\)", PLAN):
        assert (ROOT / "course" / target).exists(), target
