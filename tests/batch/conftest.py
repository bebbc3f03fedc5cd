"""Tiny notebooks, and batches of them that need neither the command line nor torch."""

from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
import pytest

from course.batch.drive import notebook_workers, run_batch
from course.batch.grid import Grid
from course.batch.records import Record
from course.batch.tasks import Place, Task, TaskLimits, plan_tasks

WriteNotebook = Callable[..., Path]
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def write_notebook(path: Path, *cells: str, parameters: str | None = None) -> Path:
    """Write a notebook of code cells; `parameters`, if given, is a first cell with that tag."""
    notebook = nbformat.v4.new_notebook(metadata=KERNEL)
    if parameters is not None:
        notebook.cells.append(nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    notebook.cells += [nbformat.v4.new_code_cell(cell) for cell in cells]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def plan(
    notebooks: Sequence[Path], out: Path, grid: Grid | None = None, limits: TaskLimits | None = None
) -> list[Task]:
    """The tasks of these notebooks, with the work folder beside the output folder."""
    place = Place(out, out.parent / "work")
    return list(plan_tasks(notebooks, grid or Grid(), {}, place, limits or TaskLimits(seconds=200, cores=1)))


def run(tasks: Sequence[Task], workers: int = 1, retries: int = 0) -> dict[str, Record]:
    """The records of a batch by the notebook's name, after it has run to its end."""
    *_, last = run_batch(tasks, notebook_workers(workers), retries)
    return {Path(record.notebook).stem: record for record in last.records.values()}


@pytest.fixture
def notebook(tmp_path: Path) -> WriteNotebook:
    """Write a notebook of this name into a folder of its own."""

    def write(name: str, *cells: str, parameters: str | None = None) -> Path:
        return write_notebook(tmp_path / "notebooks" / f"{name}.ipynb", *cells, parameters=parameters)

    return write
