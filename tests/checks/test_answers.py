"""An answer is graded as its notebook ran it, or its student is told: cells that share names, magics, stubs again."""

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.asking.answers import Answer, find_answers
from course.asking.asker import _run
from course.asking.cells import code_cell, needed_by

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
STUB = 'def chop(base):\n    """What it does."""\n    return None  # your code here\n\n\ncheck("chop", chop)'
WRITTEN = "def chop(base):\n    return base + 1"


def found(*cells: str | tuple[str, str]) -> Answer:
    """The answer to `chop` in a notebook; a pair is the exercise that a cell's metadata name, and its code."""
    made = [code_cell(*((cell,) if isinstance(cell, str) else reversed(cell))) for cell in cells]
    answers = find_answers(made, ["chop"])
    return answers.get("chop", Answer(""))


def run(answer: Answer) -> dict[str, object]:
    space: dict[str, object] = {}
    assert _run(answer.borrowed, "chop", space) == []
    _run(answer.source, "chop", space)
    return space


@pytest.mark.parametrize(
    "cells",
    [
        ("x = 1", ("chop", WRITTEN), "chop(2)"),
        (("chop", STUB), WRITTEN),
        (WRITTEN, ("chop", STUB)),
        (("chop", WRITTEN), ("chop", STUB), "y = 2"),
        (("chop", STUB), ("chop", WRITTEN.replace("1", "2")), WRITTEN, ("chop", STUB)),
    ],
)
def test_the_last_answer_counts_and_a_stub_is_none(cells: tuple[str | tuple[str, str], ...]) -> None:
    assert found(*cells).source == WRITTEN


def test_several_answers_and_a_stub_below_are_told() -> None:
    answer = found(("chop", WRITTEN), ("chop", WRITTEN), ("chop", STUB))
    assert answer.notes == (
        "2 cells answer chop: the last of them is graded.",
        "below the answer stands the stub of chop again, which a run from top to bottom would take.",
    )
    assert found(("chop", STUB)) == Answer(STUB, "", ())


@pytest.mark.parametrize("source", ["def chop(a):\n  pass", "x = 1\nchop = f", "chop: object = f", "class chop: pass"])
def test_without_metadata_it_is_found_by_what_it_defines(source: str) -> None:
    assert found(source).source == source
    assert found(source, "chop(1)", "chop == 1", "def chopped(): pass", "if x:\n  chop = 1").source == source


def test_a_value_of_the_name_elsewhere_is_not_the_answer() -> None:
    assert found(("chop", WRITTEN), "for chop in (1, 2): pass", "chop = 'text'").source == WRITTEN
    assert found("chop(1)").source == ""


@given(st.permutations(["import numpy as np", "from math import *", "K = 2**3", "def helper(x):\n    return K * x"]))
def test_what_other_cells_hold_is_borrowed_wherever_they_stand(others: list[str]) -> None:
    answer = found("print(undefined)", *others, ("chop", "def chop(a):\n    return helper(np.sum(a)) + floor(1.5)"))
    assert run(answer)["chop"]([1, 2]) == 25  # type: ignore[operator]
    below = found(("chop", "def chop(a):\n    return helper(np.sum(a)) + floor(1.5)"), *others)
    assert run(below)["chop"]([1, 2]) == 25  # type: ignore[operator]


def test_only_what_is_needed_is_borrowed_and_the_last_above() -> None:
    answer = found("K = 1", "K = 2", "network = train()", ("chop", "def chop(network):\n    return K"), "K = 3")
    assert answer.borrowed == "K = 2"


@pytest.mark.parametrize(
    ("magic", "kept"),
    [
        ("%matplotlib inline", "pass"),
        ("%%time", ""),
        ("files = !ls", "files = None"),
        ("a, b = %timeit -o f()", "a, b = None"),
        ("!pip install x", "pass"),
        ("chop?", "pass"),
        ("?chop", "pass"),
    ],
)
def test_magics_are_left_out_and_told(magic: str, kept: str) -> None:
    answer = found(("chop", f"{magic}\n{WRITTEN}\nfor i in ():\n    %time chop(i)"))
    assert answer.source.splitlines()[0] == kept
    assert answer.source.endswith("\n    pass")
    assert answer.notes == (f"left out, as it is no Python: {magic}; %time chop(i)",)
    assert run(answer)["chop"](1) == 2  # type: ignore[operator]


@pytest.mark.parametrize("source", ["x = (7\n     % 4)", "text = '''\n%time\n!ls\n'''", "a = 1 if b else 2  # why?"])
def test_what_only_looks_like_a_magic_stays(source: str) -> None:
    assert code_cell(source).source == source


@pytest.mark.parametrize("source", ["%%bash\nls", "def chop(:\n    pass", "\0", "(" * 300])
def test_what_is_no_python_is_kept_as_it_is(source: str) -> None:
    cell = code_cell(source, "chop")
    assert (cell.source, cell.statements) == (source, ())
    assert find_answers([cell], ["chop"])["chop"].source == source


def test_a_statement_that_only_the_notebook_can_run_costs_nothing() -> None:
    space: dict[str, object] = {}
    troubles = _run(f"from __future__ import annotations\n{WRITTEN}\nplot(network)\nx: Unknown = 1", "chop", space)
    assert troubles == ["line 4: NameError: name 'plot' is not defined"]
    assert {"chop", "x"} <= space.keys()


@given(st.sampled_from(["import {0}", "def {0}(): pass", "class {0}: pass", "{0} = 1", "for {0} in b: pass"]))
def test_a_name_that_is_bound_is_not_needed(statement: str) -> None:
    source = f"{statement.format('name')}\ndef f(a):\n    own = len(a)\n    return name, own, other"
    assert needed_by(ast.parse(source).body) - {"b"} == {"other"}


def test_every_exercise_of_the_lessons_is_found_even_without_metadata() -> None:
    for path in NOTEBOOKS.glob("*.ipynb"):
        cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
        asked = {
            cell["metadata"]["exercise"]: "".join(cell["source"]) for cell in cells if "exercise" in cell["metadata"]
        }
        for tag in (True, False):
            made = [
                code_cell("".join(one["source"]), one["metadata"].get("exercise", "") if tag else "") for one in cells
            ]
            answers = find_answers(made, sorted(asked))
            assert {name: answer.source for name, answer in answers.items()} == asked, path.name
