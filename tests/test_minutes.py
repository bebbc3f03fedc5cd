"""The minutes that lessons and pages state are those that were measured."""

import re
from dataclasses import replace
from pathlib import Path

import msgspec
import nbformat
import pandas as pd
import pytest

from course.batch.records import RECORD, Provenance, Record, Usage
from course.book import minutes
from course.book.markers import fill
from course.exercises.solutions import lesson_notebooks

TAKEN = pd.read_csv(minutes.TABLE)
LESSONS = {path.stem: path for path in lesson_notebooks()}
STATED = re.compile(r"On two CPU cores it is run in (\d+) minutes? at the preset `quick`")


def test_the_page_for_assistants_shows_the_tables_that_are_kept() -> None:
    text = (Path(minutes.__file__).parents[1] / "assistants.md").read_text()
    tables = {"lesson-minutes": minutes.rows(TAKEN), "first-pictures": minutes.waits(pd.read_csv(minutes.WAITS))}
    assert fill(text, tables) == text


def test_no_cell_of_any_lesson_blocks_for_more_than_a_minute_before_there_is_a_picture() -> None:
    waits = pd.read_csv(minutes.WAITS)
    assert sorted(waits["lesson"]) == sorted(2 * [*LESSONS])
    assert waits["first_picture"].max() < 60


def test_every_lesson_was_measured_at_both_presets() -> None:
    for preset, least in (("quick", 1), ("smoke", 2)):
        measured = TAKEN[TAKEN["preset"] == preset]
        assert sorted(measured["lesson"]) == sorted(LESSONS)
        assert (measured["runs"] >= least).all()


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_states_no_less_than_it_took(lesson: str) -> None:
    stated = STATED.search(nbformat.read(LESSONS[lesson], as_version=4).cells[0].source)
    assert stated
    (seconds,) = TAKEN[(TAKEN["preset"] == "quick") & (TAKEN["lesson"] == lesson)]["seconds"]
    assert seconds <= 60 * int(stated[1]) < seconds + 60, "rounded up, not generously"


def test_the_slowest_counts_and_what_is_not_done_is_refused(tmp_path: Path) -> None:
    origin = Provenance(device="a chip", versions={"torch": "3.0"}, started="2026-11-20T00:00:00+00:00")
    record = Record("notebooks/01_a.ipynb", {"preset": "quick"}, "", "", "done", origin=origin)
    for seconds in (75.0, 61.4):
        keep(replace(record, usage=Usage(seconds, peak_megabytes=1000.4)), tmp_path / "runs" / f"{seconds}")
    (row,) = minutes.collect([tmp_path]).to_dict("records")
    assert (row["lesson"], row["runs"], row["seconds"], row["peak_megabytes"]) == ("01_a", 2, 75, 1000)
    keep(replace(record, outcome="died"), tmp_path / "runs" / "died")
    with pytest.raises(ValueError, match=r"01_a\.ipynb is not done"):
        minutes.collect([tmp_path])


def keep(record: Record, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / RECORD).write_bytes(msgspec.json.encode(record))
