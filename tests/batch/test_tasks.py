"""The tasks of a batch, and their folders."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.batch.grid import Grid, read_grid
from course.batch.tasks import NAME_LENGTH, Place, Task, TaskLimits, find_notebooks, passed_over, plan_tasks
from tests.batch.conftest import WriteNotebook, plan
from transferkit.errors import UsageError

VALUES = st.one_of(st.integers(), st.booleans(), st.text(max_size=200), st.lists(st.integers()))
SETS = st.dictionaries(st.text(min_size=1, max_size=9), VALUES, max_size=4)


def task(parameters: dict[str, Any], **changed: str) -> Task:
    return replace(Task("/a/nb.ipynb", parameters, "1", "2", "/out", "/work"), **changed)  # type: ignore[arg-type]


@given(SETS, SETS)
def test_two_tasks_share_a_folder_exactly_when_nothing_differs(one: dict[str, Any], other: dict[str, Any]) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (task(one).folder == task(other).folder) == same


@given(SETS)
def test_a_folder_s_name_is_one_safe_and_short_name(parameters: dict[str, Any]) -> None:
    name = task(parameters).name
    assert Path(name).name == name
    assert name.isascii()
    assert name.startswith("nb-")
    assert len(name) <= NAME_LENGTH + 13


@pytest.mark.parametrize("changed", [{"checksum": "9"}, {"code": "9"}, {"notebook": "/b/nb.ipynb"}])
def test_another_notebook_or_other_code_is_another_task(changed: dict[str, str]) -> None:
    assert task({}, **changed).name != task({}).name


def test_limits_and_the_place_of_the_work_folder_do_not_make_another_task() -> None:
    assert Task("/a/nb.ipynb", {}, "1", "2", "/out", "/w", TaskLimits(7.0, 1, 2)).name == task({}).name


def test_the_grid_is_multiplied_and_the_command_line_wins(notebook: WriteNotebook, tmp_path: Path) -> None:
    path = notebook("nb", "a, b, c", parameters="a = 0\nb = 'x'\nc = 0.5")
    (tmp_path / "grid.yaml").write_text("a: [1, 2]\nb: [x, y]\nc: 1.5\n")
    grid = read_grid(tmp_path / "grid.yaml", ["nb"])
    tasks = plan_tasks([path], grid, {"c": "2"}, Place(tmp_path, tmp_path), TaskLimits())
    assert [dict(task.parameters) for task in tasks] == [
        {"a": a, "b": b, "c": 2.0} for a in (1, 2) for b in ("x", "y")
    ]  # fmt: skip


def test_a_list_gives_just_these_sets_and_a_notebook_can_have_its_own(tmp_path: Path) -> None:
    (tmp_path / "grid.yaml").write_text("all: [{s: 1}, {s: 2}]\none: {t: [8, 9]}\n")
    grid = read_grid(tmp_path / "grid.yaml", ["one", "other"])
    assert grid.sets("one") == [{"s": 1, "t": 8}, {"s": 1, "t": 9}, {"s": 2, "t": 8}, {"s": 2, "t": 9}]
    assert grid.sets("other") == [{"s": 1}, {"s": 2}]


def test_what_only_some_notebooks_know_is_for_them_and_nobody_runs_twice(
    notebook: WriteNotebook, tmp_path: Path
) -> None:
    one, other = notebook("one", "a, b", parameters="a = 0\nb = 0"), notebook("other", "b", parameters="b = 0")
    (tmp_path / "grid.yaml").write_text("all: {b: 7}\nknown: {a: [1, 2]}\n")
    grid = read_grid(tmp_path / "grid.yaml", ["one", "other"])
    tasks = plan([one, other], tmp_path / "out", grid)
    assert [dict(task.parameters) for task in tasks] == [{"b": 7, "a": 1}, {"b": 7, "a": 2}, {"b": 7}]
    with pytest.raises(UsageError, match="no notebook of this batch has a parameter 'a', .*; together they have b"):
        plan([other], tmp_path / "out", grid)
    (tmp_path / "broken.ipynb").write_text("{")
    assert len(plan([other, tmp_path / "broken.ipynb"], tmp_path / "out", grid)) == 2


@pytest.mark.parametrize(
    ("text", "given", "message"),
    [
        ("a: [1, 2, 1]", {}, "gives the set {a: 1} twice, and both would write the same output"),
        ("- {a: 1, b: 2}\n- {b: 2, a: 1}", {}, "twice, and both would write the same output"),
        ("a: 1\nb: 2\na: 3", {}, "has 'a' twice in one mapping"),
        ("all: {a: [1, 2]}\none: {b: 3, b: 4}", {}, "has 'b' twice in one mapping"),
        ("a: [1, 2]\nb: 3", {"a": "4"}, "would write the same output, since -p overrides the grid"),
        ("all: {a: [1, 2]}\none: {a: 3}", {}, "'a: 1' of the grid reaches no notebook"),
        ("all: {a: 1}\nknown: {a: 2}", {}, "'a: 1' of the grid reaches no notebook"),
        ("one: {c: 1}", {}, "has no parameter 'c'"),
        ("ones: {a: 1}", {}, "has no parameter 'ones'"),
        ("known: {c: 1}", {}, "no notebook of this batch has a parameter 'c'"),
        ("a: 2024-99-99", {}, "in quotes"),
    ],
)
def test_whatever_in_a_grid_would_have_no_effect_is_refused(
    notebook: WriteNotebook, tmp_path: Path, text: str, given: dict[str, str], message: str
) -> None:
    path = notebook("one", "a, b", parameters="a = 0\nb = 0")
    (tmp_path / "grid.yaml").write_text(text)
    with pytest.raises(UsageError, match=re.escape(message)):
        grid = read_grid(tmp_path / "grid.yaml", ["one"])
        plan_tasks([path], grid, given, Place(tmp_path / "out", tmp_path), TaskLimits())
    assert not (tmp_path / "out").exists()


def test_what_differs_only_by_its_type_is_not_the_same_set(notebook: WriteNotebook, tmp_path: Path) -> None:
    (tmp_path / "grid.yaml").write_text("a: [1, true, 1.0, '1']\n")
    grid = read_grid(tmp_path / "grid.yaml", ["one"])
    assert len(plan([notebook("one", "a", parameters="a = None")], tmp_path / "out", grid)) == 4


@pytest.mark.parametrize("scheme", ["s3", "gs", "abfs", "az", "adl", "hdfs", "http", "https", "file", "github", "S3"])
@pytest.mark.parametrize("option", ["--out", "--work"])
def test_an_address_is_no_folder(notebook: WriteNotebook, tmp_path: Path, scheme: str, option: str) -> None:
    remote = Path(f"{scheme}://bucket/x")
    place = Place(remote, tmp_path) if option == "--out" else Place(tmp_path / "out", remote)
    with pytest.raises(
        UsageError, match=f"{option} {scheme}://bucket/x is an address, and a batch can only use folders"
    ):
        plan_tasks([notebook("nb", "1")], Grid(), {}, place, TaskLimits())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["a:b", "s3:x", "c:", "s3"])
def test_a_folder_with_a_colon_is_a_folder(notebook: WriteNotebook, tmp_path: Path, name: str) -> None:
    assert plan_tasks([notebook("nb", "1")], Grid(), {}, Place(Path(name), tmp_path), TaskLimits())


def test_two_students_who_hand_in_the_same_notebook_both_have_a_row(notebook: WriteNotebook, tmp_path: Path) -> None:
    paths = [notebook(f"{student}/lesson04/answers", "1") for student in ("ann", "bob")]
    tasks = plan(paths, tmp_path / "out")
    assert len({task.name for task in tasks}) == 2
    assert [task.name for task in plan(paths, tmp_path / "out")] == [task.name for task in tasks]
    assert plan(paths[:1], tmp_path / "out")[0].apart == ""


def test_folders_in_a_folder_are_named_when_they_are_passed_over(notebook: WriteNotebook, tmp_path: Path) -> None:
    notebook("one", "1"), notebook("ann/two", "2"), notebook(".ipynb_checkpoints/three", "3")
    folder = tmp_path / "notebooks"
    assert passed_over([folder, folder / "one.ipynb"]) == [folder / "ann"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "is not YAML"),
        ("just words", "neither a mapping"),
        ("[]", "neither a mapping"),
        ("a: []", "no set of parameters"),
        ("1: 2", "a name that is not text"),
        ("all: {a: 1}\nother: {a: 1}", "or after a notebook of this batch (nb)"),
    ],
)
def test_a_grid_that_says_nothing_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "grid.yaml").write_text(text)
    with pytest.raises(UsageError, match=message.replace("(", r"\(").replace(")", r"\)")):
        read_grid(tmp_path / "grid.yaml", ["nb"])


def test_a_wrong_parameter_anywhere_refuses_the_whole_batch(notebook: WriteNotebook, tmp_path: Path) -> None:
    paths = [notebook("one", "a", parameters="a = 0"), notebook("two", "b", parameters="b = 0")]
    with pytest.raises(UsageError, match="has no parameter 'a'"):
        plan(paths, tmp_path / "out", Grid(({"a": 1},)))
    assert not (tmp_path / "out").exists()


def test_a_broken_notebook_is_planned_to_fail_alone(tmp_path: Path) -> None:
    (tmp_path / "broken.ipynb").write_text("{")
    assert len(plan([tmp_path / "broken.ipynb"], tmp_path / "out")) == 1


def test_folders_stand_for_their_notebooks(notebook: WriteNotebook, tmp_path: Path) -> None:
    one, two = notebook("one", "1"), notebook("two", "2")
    assert find_notebooks([tmp_path / "notebooks", one]) == (one, two)
    for nothing in (tmp_path / "missing.ipynb", tmp_path):
        with pytest.raises(UsageError, match="notebook"):
            find_notebooks([nothing])
