"""Values on their way from a grid or the command line into a notebook: none is changed, and every remedy helps."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from papermill.cli import _resolve_type

from course.batch.grid import Grid, read_grid
from course.batch.literals import travels
from course.batch.parameters import Code, check, declared, parse
from course.batch.tasks import Place, Task, TaskLimits, plan_tasks
from tests.batch.conftest import WriteNotebook
from transferkit.errors import UsageError

TEXT = st.text(max_size=5)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXT)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.tuples(inner, inner), st.tuples(), st.dictionaries(TEXT, inner, max_size=2)
    ),
    max_leaves=6,
)
ODD = [{1}, b"a", 1j, {1: 2}, float("nan"), float("inf"), [(b"",)], {"a": {1}}, object(), frozenset()]
DEFAULTS = {"n": 3, "lr": 0.1, "fast": True, "name": "a", "items": [1], "size": (1, 2), "table": {"a": 1}}
CODE = Code("\n".join(f"{name} = {value!r}" for name, value in DEFAULTS.items()), (", ".join(DEFAULTS),))
WRONG = [
    ("n", "5"), ("n", 5.0), ("n", "5.0"), ("n", "5e3"), ("n", True), ("lr", "1e-5"), ("lr", "2"), ("fast", 1),
    ("fast", "no"), ("fast", "TRUE"), ("name", 3), ("name", True), ("name", 0.5), ("items", 3), ("items", "[3]"),
    ("items", "a b"), ("items", "it's"), ("size", 3), ("size", "(3, 4)"), ("table", "{'z': 1}"),
]  # fmt: skip


def refusal(name: str, value: object) -> str:
    with pytest.raises(UsageError) as refused:
        check(CODE, {name: value}, "nb.ipynb")
    return str(refused.value)


@settings(max_examples=50)
@given(st.dictionaries(TEXT, VALUES, max_size=2), TEXT)
@example({"size": (1, (2, [3]), {"a": ()})}, "/a/\udcdc.ipynb")
def test_a_task_comes_out_of_its_line_as_it_went_in(parameters: dict[str, Any], notebook: str) -> None:
    task = Task(notebook, parameters, "1", "2", "/out", "/work", TaskLimits(7.0, 1, 2), "python3", "/a")
    assert all(map(travels, parameters.values()))
    assert b"\n" not in task.encode()
    assert repr(Task.decode(task.encode())) == repr(task)


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
def test_what_would_be_changed_on_the_way_is_refused_in_a_sentence(
    value: object, notebook: WriteNotebook, tmp_path: Path
) -> None:
    assert not travels(value)
    path = notebook("nb", "print(x)", parameters="x = None")
    with pytest.raises(UsageError, match="'x' cannot be .*: a batch passes on text, .*; give one of these"):
        plan_tasks([path], Grid(({"x": value},)), {}, Place(tmp_path, tmp_path), TaskLimits())


@pytest.mark.parametrize("text", ["{1, 2}", "b'a'", "1j", "set()", "{(1,): 2}", "{'a': {1}}"])
@pytest.mark.parametrize("default", ["None", "{1}", "(1, 2)", "[0]", "int('3')"])
def test_no_literal_on_the_command_line_ends_in_a_traceback(
    text: str, default: str, notebook: WriteNotebook, tmp_path: Path
) -> None:
    path = notebook("nb", "print(x)", parameters=f"x = {default}")
    with pytest.raises(UsageError, match="'x'"):
        plan_tasks([path], Grid(), {"x": text}, Place(tmp_path, tmp_path), TaskLimits())


@pytest.mark.parametrize(
    ("default", "text", "value"),
    [
        ("(224, 224)", "(64, 64)", (64, 64)),
        ("(224, 224)", "[64, 64]", (64, 64)),
        ("[(1, 2)]", "[[3, 4], [5, 6]]", [(3, 4), (5, 6)]),
        ("((1, 2), 3)", "[[3, 4], [5, 6]]", ((3, 4), (5, 6))),
        ("None", "((1, None), {'a': (2,)})", ((1, None), {"a": (2,)})),
        ("int('3')", "1e-3", 0.001),
    ],
)
def test_tuples_are_taken_and_lists_are_made_tuples_where_the_default_has_them(
    default: str, text: str, value: object, notebook: WriteNotebook, tmp_path: Path
) -> None:
    path = notebook("nb", "print(x)", parameters=f"x = {default}")
    (task,) = plan_tasks([path], Grid(), {"x": text}, Place(tmp_path, tmp_path), TaskLimits())
    assert repr(task.parameters["x"]) == repr(value)


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_papermill_takes_what_the_remedy_says(name: str, value: object) -> None:
    found = re.search(r": write (.+) \((-[pry] .+)\); its parameters", refusal(name, value))
    assert found
    option, *given = shlex.split(found[2])
    if option == "-y":
        (chosen,) = yaml.safe_load(given[0]).items()
    else:
        chosen = given[0], given[1] if option == "-r" else _resolve_type(given[1])
    check(CODE, dict([chosen]), "nb.ipynb")
    assert chosen[0] == name


def test_a_whole_number_and_a_list_have_the_remedy_that_one_would_write() -> None:
    assert "not '5': write 5 (-p n 5)" in refusal("n", "5")
    assert "not '[3]': write [3] (-y 'items: [3]')" in refusal("items", "[3]")
    assert "not '1e-3'; its" in refusal("n", "1e-3"), "no whole number is meant"


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, value in WRONG if isinstance(value, str)])
def test_the_option_takes_what_the_remedy_says(name: str, value: str, notebook: WriteNotebook, tmp_path: Path) -> None:
    path = notebook("nb", CODE.below[0], parameters=CODE.parameters)

    def planned(text: str) -> tuple[Task, ...]:
        return plan_tasks([path], Grid(), {name: text}, Place(tmp_path, tmp_path), TaskLimits())

    if parse(declared(CODE)[name], value) != value:
        return  # the option takes it as it is
    try:
        planned(value)
    except UsageError as refused:
        found = re.search(r": write -p (.+); its parameters", str(refused))
        assert found
        assert planned(shlex.split(found[1])[1])


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_the_grid_takes_what_the_remedy_says(name: str, value: object, notebook: WriteNotebook, tmp_path: Path) -> None:
    path, grid = notebook("nb", CODE.below[0], parameters=CODE.parameters), tmp_path / "grid.yaml"

    def planned(text: str) -> tuple[Task, ...]:
        grid.write_text(text)
        return plan_tasks([path], read_grid(grid, ["nb"]), {}, Place(tmp_path, tmp_path), TaskLimits())

    with pytest.raises(UsageError) as refused:
        planned(yaml.safe_dump({name: [value]}))
    found = re.search(r": write (.+?)(?:, because .* holds alternatives \(or (- .+)\))?; its", str(refused.value))
    assert found
    assert (
        planned(found[1])[0].parameters[name]
        == (planned(found[2]) if found[2] else planned(found[1]))[0].parameters[name]
    )


def test_a_list_in_a_grid_is_said_to_hold_alternatives(notebook: WriteNotebook, tmp_path: Path) -> None:
    path = notebook("nb", "items", parameters="items = [1]")
    grid = Grid(({"items": 1}, {"items": 2}))
    with pytest.raises(
        UsageError, match=re.escape("write items: [[1, 2]], because in a grid a list holds alternatives")
    ):
        plan_tasks([path], grid, {}, Place(tmp_path, tmp_path), TaskLimits())
