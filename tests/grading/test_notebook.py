"""The cells of a submitted notebook are found, or refused with a reason, whatever the file holds."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.grading.notebook import LARGEST_CELL, read_bytes, read_code
from transferkit.errors import DataError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["cells", "source", "metadata", "x"]), inner),
)


def notebook(*cells: Mapping[str, object]) -> bytes:
    return json.dumps(
        {"cells": [{"cell_type": "code", "metadata": {}, "outputs": []} | dict(cell) for cell in cells]}
    ).encode()


def test_code_cells_come_with_the_exercise_that_their_metadata_name() -> None:
    tagged = {"source": ["def ", "chop(): pass"], "metadata": {"exercise": "chop"}}
    odd = {"source": "x", "metadata": {"exercise": ["chop"]}}
    text = {"source": "chop = 1", "cell_type": "markdown"}
    large = {"source": "x" * LARGEST_CELL + "y"}
    assert read_code(notebook(tagged, odd, text, large)) == ([("chop", "def chop(): pass"), ("", "x")], 1)


@given(st.binary())
def test_bytes_are_a_notebook_or_refused(content: bytes) -> None:
    with pytest.raises(DataError):
        read_code(content)


@given(JSON, JSON)
def test_json_of_any_kind_is_a_notebook_or_refused(whole: object, cell: object) -> None:
    for value in (whole, {"cells": [cell]}, {"cells": [{"cell_type": "code", "metadata": {"exercise": cell}}]}):
        try:
            assert all(type(part) is str for pair in read_code(json.dumps(value).encode())[0] for part in pair)
        except DataError:
            continue


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be opened"):
        read_bytes(tmp_path / "none.ipynb")
