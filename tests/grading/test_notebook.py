"""The cells of a submitted notebook are found, or refused with a reason, whatever the file holds."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.grading.notebook import LARGEST_CELL, read_answers, read_bytes
from transferkit.errors import DataError

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["cells", "source", "metadata", "x"]), inner),
)


def notebook(*cells: Mapping[str, object]) -> bytes:
    return json.dumps(
        {"cells": [{"cell_type": "code", "metadata": {}, "outputs": []} | dict(cell) for cell in cells]}
    ).encode()


def test_the_cell_that_the_metadata_name_is_taken() -> None:
    tagged = {"source": ["def ", "chop(): pass"], "metadata": {"exercise": "chop"}}
    assert read_answers(notebook(tagged, {"source": "def chop(): other"}), ["chop"]) == {"chop": "def chop(): pass"}


def test_the_last_of_several_counts_as_it_does_in_a_notebook() -> None:
    cells = [{"source": f"chop = {index}", "metadata": {"exercise": "chop"}} for index in range(3)]
    assert read_answers(notebook(*cells), ["chop"]) == {"chop": "chop = 2"}


@pytest.mark.parametrize("source", ["def chop(a):\n  pass", "x = 1\nchop = f", "chop: object = f", "class chop: pass"])
def test_without_metadata_it_is_found_by_what_it_defines(source: str) -> None:
    assert read_answers(notebook({"source": source}), ["chop", "other"]) == {"chop": source}


@pytest.mark.parametrize(
    "source", ["chop(1)", "chop == 1", "def chopped(): pass", "  chop = 1", "x" * LARGEST_CELL + "y"]
)
def test_what_does_not_define_it_is_not_it(source: str) -> None:
    assert read_answers(notebook({"source": source}), ["chop"]) == {}
    assert read_answers(notebook({"source": "chop = 1", "cell_type": "markdown"}), ["chop"]) == {}


@given(st.binary())
def test_bytes_are_a_notebook_or_refused(content: bytes) -> None:
    with pytest.raises(DataError):
        read_answers(content, ["chop"])


@given(JSON, JSON)
def test_json_of_any_kind_is_a_notebook_or_refused(whole: object, cell: object) -> None:
    for value in (whole, {"cells": [cell]}, {"cells": [{"cell_type": "code", "metadata": {"exercise": cell}}]}):
        try:
            assert read_answers(json.dumps(value).encode(), ["chop"]).keys() <= {"chop"}
        except DataError:
            continue


def test_every_exercise_of_the_lessons_is_found() -> None:
    for path in NOTEBOOKS.glob("*.ipynb"):
        tagged = {cell["metadata"].get("exercise") for cell in json.loads(path.read_text())["cells"]} - {None}
        content = read_bytes(path)
        assert read_answers(content, sorted(tagged)).keys() == tagged
        assert read_answers(content.replace(b'"exercise"', b'"lost"'), sorted(tagged)).keys() == tagged


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be opened"):
        read_bytes(tmp_path / "none.ipynb")
