"""The page that says which files to touch for something new: its files exist, and the counts it gives hold."""

import re
from pathlib import Path
from typing import get_args

import nbformat

from course.doctor.lessons import LESSONS
from course.evidence.claims import CLAIMS
from course.exercises import exercises
from data_prep import catalogue
from data_prep.__main__ import parser as data_parser
from transferkit.__main__ import commands
from transferkit.config import get_preset, presets
from transferkit.figures.style import STYLES
from transferkit.splits import SplitKind, kind_of
from transferkit.treatments import TREATMENTS, Treatment

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "course" / "contributing.md").read_text()
EXAMPLES = {"random": "random0", "apart": "apart12", "natural": "natural", "overlap": "overlap-0.5", "whole": "whole"}


def test_the_files_that_the_page_names_exist() -> None:
    named = set(re.findall(r"`((?:transferkit|course|data_prep|tests|notebooks)/[\w./]*)`", PAGE))
    missing = {name for name in named if not (ROOT / name).exists()} - {"data_prep/NAME.py", "notebooks/NN_name.ipynb"}
    assert len(named) > 10
    assert not missing


def test_it_answers_ten_questions() -> None:
    rows = re.findall(r"^\| ([a-z -]+) \| (\d|2 folders) \|", PAGE, re.MULTILINE)
    assert len(rows) == 10
    assert {count for _, count in rows} == {"1", "2", "2 folders"}


def test_every_kind_of_split_has_a_name() -> None:
    assert {kind: kind_of(EXAMPLES[kind]) for kind in get_args(SplitKind)} == {kind: kind for kind in EXAMPLES}


def test_every_data_set_of_the_catalogue_is_a_command() -> None:
    for name in catalogue.PURPOSES:
        needed = ["--from", "."] if name in ("imagenet", "folder") else []
        assert data_parser().parse_args([name, *needed]).name == name


def test_every_treatment_is_listed_once_and_has_a_look() -> None:
    assert tuple(STYLES) == TREATMENTS == get_args(Treatment)


def test_every_recipe_is_found_by_its_name() -> None:
    assert all(get_preset(name).name == name for name in presets())


def test_commands_are_of_the_library_and_of_the_course() -> None:
    named = [command.name for command in commands()]
    assert named[:3] == ["plan", "sweep", "figures"]
    assert set(named[3:]) == {
        "curve", "predict", "filters", "doctor", "evidence", "claims", "verify", "export", "batch", "grade"
    }  # fmt: skip


def test_claims_and_exercises_are_found_without_being_listed_elsewhere() -> None:
    assert len({claim.key for claim in CLAIMS}) == len(CLAIMS)
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        asked = [cell.metadata["exercise"] for cell in cells if "exercise" in cell.metadata]
        assert {exercise.name for exercise in exercises(path.stem[:2])} == set(asked) if asked else True


def test_every_lesson_has_a_plan() -> None:
    assert [plan.name for plan in LESSONS] == sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
