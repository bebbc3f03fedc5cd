"""A parameter that would not do what it seems to do is refused, with a list of the known ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from course.batch.parameters import Code, Parameter, check, declared, parse, read_code
from transferkit.errors import UsageError

CELL = """# Parameters: papermill replaces these
data = "photos"  # help: a prepared data set
seed = 0  # help: another seed trains other networks
lr = 0.01
fast = True
layers = ["conv1"]
limit = None  # more than this is too much
"""
READS = "data, seed, lr, fast, layers, limit"
LESSONS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def code(*below: str, parameters: str = CELL) -> Code:
    return Code(parameters, below or (READS,))


def refusal(given: dict[str, Any], about: Code) -> str:
    with pytest.raises(UsageError) as refused:
        check(about, given, "lesson.ipynb")
    return str(refused.value)


def test_the_parameters_cell_declares_literals_with_their_help() -> None:
    found = declared(code())
    assert found["seed"] == Parameter("seed", 0, "another seed trains other networks")
    assert found["limit"] == Parameter("limit", None, "more than this is too much")
    assert list(found) == ["data", "seed", "lr", "fast", "layers", "limit"]


def test_what_fits_passes() -> None:
    check(code(), {"data": "shapeworld", "seed": 3, "lr": 1, "fast": False, "layers": [], "limit": 7.5}, "lesson.ipynb")


def test_an_unknown_parameter_is_refused_with_those_that_are_known() -> None:
    message = refusal({"sede": 1}, code())
    assert "no parameter 'sede' (did you mean 'seed'?)" in message
    assert "seed = 0  # another seed trains other networks" in message


@pytest.mark.parametrize(
    ("name", "value"),
    [("seed", "1"), ("seed", 1.5), ("seed", True), ("lr", "1e-3"), ("fast", 1), ("data", 3), ("layers", "x")],
)
def test_another_type_than_the_default_is_refused(name: str, value: object) -> None:
    assert f"for '{name}', not {value!r}" in refusal({name: value}, code())


def test_a_number_that_yaml_reads_as_text_is_refused_with_a_remedy() -> None:
    assert "in YAML, 1e-3 is text, and 1.0e-3 a number: write 0.001" in refusal({"lr": "1e-3"}, code())


@pytest.mark.parametrize(
    ("below", "why"),
    [
        (("print(data)",), "no cell below the parameters cell reads it"),
        (("seed = 4", "print(seed)"), "sets it again before it is read"),
        (("'seed' # seed",), "no cell below"),
    ],
)
def test_a_parameter_that_nothing_reads_is_refused(below: tuple[str, ...], why: str) -> None:
    assert why in refusal({"seed": 1}, code(*below))


@pytest.mark.parametrize(
    "below",
    [
        "f'{seed}'",
        "seed += 1",
        "seed = seed + 1",
        "def f():\n    return seed",
        "!echo {seed}",
        "%time print(seed)",
        "locals()",
    ],
)
def test_whatever_may_read_it_counts_as_reading(below: str) -> None:
    check(code(below), {"seed": 1}, "lesson.ipynb")


def test_what_the_parameters_cell_derives_would_go_stale() -> None:
    message = refusal({"seed": 1}, code("print(name, seed)", parameters='seed = 0\nname = f"run-{seed}"'))
    assert "move it to the next cell" in message


def test_text_from_the_command_line_is_read_as_the_type_of_the_default() -> None:
    found = declared(code())
    texts = {"data": "7", "seed": "7", "lr": "1e-3", "fast": "false", "layers": "['a', 'b']", "limit": "7"}
    values = {name: parse(found[name], text) for name, text in texts.items()}
    assert values == {"data": "7", "seed": 7, "lr": 0.001, "fast": False, "layers": ["a", "b"], "limit": 7}
    assert parse(found["seed"], "many") == "many", "what cannot be read is left to be refused"


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_parameter_of_a_lesson_is_explained_and_read(path: Path) -> None:
    lesson = read_code(json.loads(path.read_text()))
    parameters = declared(lesson)
    assert all(parameter.help for parameter in parameters.values())
    check(lesson, {name: parameter.default for name, parameter in parameters.items()}, path.name)
