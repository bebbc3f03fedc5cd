"""Tiny notebooks, and batches of them that need neither the command line nor torch."""

from collections.abc import Callable, Sequence
from pathlib import Path

import nbformat
import pytest

from course.batch.drive import local_workers, run_batch
from course.batch.grid import Grid
from course.batch.receipts import Receipt
from course.batch.tasks import Limits, Place, Task, plan_tasks

WriteNotebook = Callable[..., Path]
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def write_notebook(path: Path, *cells: str, parameters: str | None = None) -> Path:
    """A notebook of code cells, the first of which is tagged as parameters if there is one."""
    notebook = nbformat.v4.new_notebook(metadata=KERNEL)
    if parameters is not None:
        notebook.cells.append(nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    notebook.cells += [nbformat.v4.new_code_cell(cell) for cell in cells]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def plan(notebooks: Sequence[Path], out: Path, grid: Grid | None = None, limits: Limits | None = None) -> list[Task]:
    """The tasks of these notebooks, with the work folder beside the output folder."""
    place = Place(out, out.parent / "work")
    return list(plan_tasks(notebooks, grid or Grid(), {}, place, limits or Limits(seconds=200, cores=1)))


def run(tasks: Sequence[Task], workers: int = 1, retries: int = 0) -> dict[str, Receipt]:
    """The receipts of a batch by the notebook's name, after it has run to its end."""
    *_, last = run_batch(tasks, local_workers(workers), retries)
    return {Path(receipt.notebook).stem: receipt for receipt in last.receipts.values()}


@pytest.fixture
def notebook(tmp_path: Path) -> WriteNotebook:
    """Write a notebook of this name into a folder of its own."""

    def write(name: str, *cells: str, parameters: str | None = None) -> Path:
        return write_notebook(tmp_path / "notebooks" / f"{name}.ipynb", *cells, parameters=parameters)

    return write
