"""A parameter that would not do what it seems to do is refused, with a list of the known ones."""

import ast
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


@pytest.mark.parametrize("number", ["2 * 8", "60 * 60", "2 ** 20", "-(2 + 3)", "7 // 2", "10 % 4", "1 << 4", "- 3"])
def test_arithmetic_is_a_number(number: str) -> None:
    found = declared(code(parameters=f"n = {number}  # help: how many\nlr = 1 / 4\nsize = (2 * 8, 3)"))
    assert found["n"] == Parameter("n", eval(number), "how many")
    assert (found["lr"].default, found["size"].default) == (0.25, (16, 3))
    assert "takes a whole number for 'n'" in refusal({"n": "x"}, code("n", parameters=f"n = {number}"))


@pytest.mark.parametrize("heavy", ["9 ** 9 ** 9", "2 ** 10**9", "1 << 10**12", "'a' * 10**12", "[0] * 10**12", "1 / 0"])
def test_what_would_take_long_or_fail_is_not_computed(heavy: str) -> None:
    assert str(declared(code(parameters=f"n = {heavy}"))["n"]) == f"n = {ast.unparse(ast.parse(heavy))}"


@pytest.mark.parametrize(
    "computed", ["int(os.environ['N'])", "Path('a')", "[one for one in range(3)]", "not True or x"]
)
@pytest.mark.parametrize("value", [1, "a", None, [1], {"a": 1}])
def test_a_default_that_is_known_only_when_it_runs_takes_every_value(computed: str, value: object) -> None:
    check(code("print(n)", parameters=f"n = {computed}"), {"n": value}, "lesson.ipynb")


@pytest.mark.parametrize(
    "cell",
    [
        "%matplotlib inline\nn = 3  # help: how many",
        "!pip install x  # y\nn = 3  # help: how many",
        "%load_ext autoreload\n%autoreload 2\nfiles = !ls\nn: int = 3  # help: how many",
        "if True:\n    %time\nn = 3  # help: how many",
        "%%time\nn = 3  # help: how many",
        "%%capture out\n%cd ..\nn = 3  # help: how many",
        "m, n = 2, 3  # help: how many",
        "(m, [n]) = 2, [3]  # help: how many",
        "print?\nn = 3  # help: how many",
    ],
)
def test_magics_do_not_hide_a_parameter(cell: str) -> None:
    assert declared(code(parameters=cell))["n"] == Parameter("n", 3, "how many")
    check(code("print(n)", parameters=cell), {"n": 4}, "lesson.ipynb")


@pytest.mark.parametrize("cell", ["for n in range(3):\n    pass", "if x:\n    n = 3", "m, *n = 1, 2", "m, n = pair"])
def test_what_a_block_or_a_call_sets_is_a_parameter(cell: str) -> None:
    check(code("print(n)", parameters=cell), {"n": "anything"}, "lesson.ipynb")


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("n = = 3", "its parameters cell is not Python (invalid syntax"),
        ("%%bash\nn=3", "its parameters cell is not Python but %%bash"),
        ("", "give the cell that sets 'n' the tag 'parameters'"),
        ("m = 3", "has no parameter 'n'; its parameters are"),
    ],
)
def test_if_a_parameter_is_not_found_the_reason_is_told(cell: str, reason: str) -> None:
    assert reason in refusal({"n": 1}, code(parameters=cell))


@pytest.mark.parametrize("default", ["(1, 2)", "{1, 2}", "b'a'", "1 + 2j", "[(1,)]", "{'a': {1}}", "..."])
@pytest.mark.parametrize("value", [3, "x", None, (1,), {"a": 1}])
def test_a_default_of_any_type_ends_in_yes_or_in_a_sentence(default: str, value: object) -> None:
    try:
        check(code("print(n)", parameters=f"n = {default}"), {"n": value}, "lesson.ipynb")
    except UsageError as refused:
        assert "lesson.ipynb takes a" in str(refused) or "takes bytes" in str(refused)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_parameter_of_a_lesson_is_explained_and_read(path: Path) -> None:
    lesson = read_code(json.loads(path.read_text()))
    parameters = declared(lesson)
    assert all(parameter.help for parameter in parameters.values())
    check(lesson, {name: parameter.default for name, parameter in parameters.items()}, path.name)
