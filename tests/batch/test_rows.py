"""One batch of notebooks with odd names, kernels and values: each has its row, and none costs the others theirs."""

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest

from course.batch.drive import notebook_workers, run_batch
from course.batch.grid import Grid
from course.batch.page import CSV, HTML, JUNIT, write_report
from course.batch.records import NOTEBOOK, Record
from course.batch.tasks import Place, Task, TaskLimits, find_notebooks, plan_tasks
from tests.batch.conftest import write_notebook

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("default"), pytest.mark.xdist_group("rows")]

PARAMETERS = "%matplotlib inline\nsize = (224, 2 * 112)\ntable = {'a': 1}"
PRINTS = "print(size, table)"
GRID = Grid(known=({"size": [64, 32], "table": {"z": (1, None)}},))
MARKUP = "[bold]:boom: <b>&amp; {seed} %s"


@dataclass(frozen=True)
class Rows:
    """What a batch left: its tasks and records by the notebook's file name, and the lines of the table."""

    out: Path
    tasks: dict[str, Task]
    records: dict[str, Record]
    table: Sequence[dict[str, str]]


def save(path: Path, **metadata: object) -> None:
    notebook = nbformat.v4.new_notebook(metadata=metadata, cells=[nbformat.v4.new_code_cell("print(2)")])
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    folder = tmp_path_factory.mktemp("rows") / "notebooks"
    write_notebook(folder / f"{MARKUP}.ipynb", PRINTS, parameters=PARAMETERS)
    save(folder / "x.ipynb", kernelspec={"name": "conda-env-x-py", "display_name": "x", "language": "python"})
    os.rename(folder / "x.ipynb", os.fsencode(folder) + b"/\xdcbung.ipynb")
    save(folder / "CAPITALS.ipynb")
    os.rename(folder / "CAPITALS.ipynb", folder / "CAPITALS.IPYNB")
    save(folder / "julia.ipynb", kernelspec={"name": "julia-1.9", "display_name": "j", "language": "julia"})
    (folder / "folder.ipynb").mkdir()
    (folder / "gone.ipynb").symlink_to("nowhere.ipynb")
    (folder / "loop.ipynb").symlink_to("loop.ipynb")
    os.mkfifo(folder / "pipe.ipynb")
    (folder / "empty.ipynb").touch()
    out = folder.parent / "out"
    planned = plan_tasks(find_notebooks([folder]), GRID, {}, Place(out, out / "work"), TaskLimits(seconds=200, cores=1))
    *_, last = run_batch(planned, notebook_workers(2))
    write_report(planned, last.records, out)
    with (out / CSV).open() as file:
        table = list(csv.DictReader(file))
    tasks = {Path(task.notebook).name: task for task in planned}
    return Rows(out, tasks, {name: last.records[task.name] for name, task in tasks.items()}, table)


def error(rows: Rows, name: str) -> str:
    failure = rows.records[name].failure
    return failure.error if failure else ""


def test_every_name_in_the_folder_has_its_row_and_ends_as_it_should(rows: Rows) -> None:
    done = {name for name, record in rows.records.items() if record.outcome == "done"}
    assert done == {f"{MARKUP}.ipynb", "\udcdcbung.ipynb", "CAPITALS.IPYNB"}, [error(rows, name) for name in rows.tasks]
    assert len(rows.table) == len(rows.records) == 9
    assert {row["outcome"] for row in rows.table} == {"done", "failed"}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("folder.ipynb", "folder.ipynb cannot be read (it is a folder, not a file)"),
        ("pipe.ipynb", "pipe.ipynb cannot be read (it is no regular file)"),
        ("gone.ipynb", "gone.ipynb cannot be read (No such file or directory)"),
        ("loop.ipynb", "loop.ipynb cannot be read (Too many levels of symbolic links)"),
        ("empty.ipynb", "it is not a notebook: save it again in Jupyter"),
        ("julia.ipynb", "'julia-1.9', is not installed here (there"),
    ],
)
def test_what_cannot_run_says_why_in_one_sentence(rows: Rows, name: str, why: str) -> None:
    assert why in error(rows, name)
    assert "\n" not in error(rows, name)


def test_the_page_and_both_tables_show_a_name_that_is_not_utf8(rows: Rows) -> None:
    assert [row["outcome"] for row in rows.table if row["notebook"] == "\\xdcbung.ipynb"] == ["done"]
    names = [case.get("classname") for case in ElementTree.parse(rows.out / JUNIT).getroot()]
    assert "\\xdcbung.ipynb" in names
    page = (rows.out / HTML).read_text()
    assert "\\xdcbung.ipynb" in page
    assert "[bold]:boom: &lt;b&gt;&amp;amp; {seed} %s.ipynb" in page


def test_the_kernel_of_another_machine_is_named_in_the_row(rows: Rows) -> None:
    notes = {row["notebook"]: row["notes"] for row in rows.table}
    assert notes["\\xdcbung.ipynb"] == "run with this Python: its own kernel, 'conda-env-x-py', is not installed here"
    assert notes["CAPITALS.IPYNB"] == "run with this Python: it names no kernel"
    assert notes[f"{MARKUP}.ipynb"] == ""
    assert (rows.out / HTML).read_text().count("run with this Python") == 2


def test_tuples_and_mappings_reach_the_notebook(rows: Rows) -> None:
    notebook = nbformat.read(rows.tasks[f"{MARKUP}.ipynb"].folder / NOTEBOOK, as_version=4)
    assert notebook.cells[-1].outputs[0].text == "(64, 32) {'z': (1, None)}\n"
