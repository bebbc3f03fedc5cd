"""Run one notebook through papermill, in this process, and record how it ended."""

import json
import logging
import time
from pathlib import Path
from typing import Any

from course.batch.files import keep_files
from course.batch.records import (
    NOTEBOOK,
    CellFailure,
    Provenance,
    Record,
    TaskOutcome,
    Usage,
    beat,
    checksum_of,
    describe,
)
from course.batch.tasks import Task
from course.processes import Memory
from transferkit.errors import BatchError, StoreError
from transferkit.hardware import installed_code

TEXT_LENGTH = 20_000  # characters kept of a traceback
START_SECONDS = 300  # for a kernel to come up on a busy machine
_log = logging.getLogger(__name__)


class Cells:
    """The code cells that have ended so far: their seconds by number, and the last of them."""

    def __init__(self, task: Task, planned: int, memory: Memory) -> None:
        self.seconds: dict[str, float] = {}
        self.last: Any = None
        self._task, self._planned, self._memory = task, planned, memory

    def note(self, cell: Any, seconds: float) -> None:
        """Note a cell that has ended."""
        self.last = cell
        self.seconds[str(len(self.seconds) + 1)] = round(seconds, 3)
        self._memory.sample()
        beat(self._task, len(self.seconds) / max(self._planned, len(self.seconds)))


def execute(task: Task, origin: Provenance) -> Record:
    """Run a task's notebook and write its files into the task's folder; return the record, without writing it.

    Raises nothing: whatever goes wrong is in the record.
    """
    started = time.monotonic()
    with Memory() as memory:
        cells = Cells(task, _count_cells(Path(task.notebook)), memory)
        outcome, failure = _run(task, cells)
    files: dict[str, str] = {}
    alt = ""
    try:
        files, alt = keep_files(task)
    except StoreError as problem:
        outcome, failure = "failed", failure or CellFailure(describe(problem))
    usage = Usage(round(time.monotonic() - started, 2), cells.seconds, round(memory.peak / 1e6, 1))
    return Record(
        task.notebook, task.parameters, task.checksum, task.code, outcome,
        failure=failure, usage=usage, origin=origin, files=files, alt=alt,
    )  # fmt: skip


def _run(task: Task, cells: Cells) -> tuple[TaskOutcome, CellFailure | None]:
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError, strip_color

    try:
        _refuse_change(task)
        _papermill(task, cells)
    except PapermillExecutionError as problem:
        text = strip_color("\n".join(problem.traceback))[-TEXT_LENGTH:]
        error = strip_color(f"{problem.ename}: {problem.evalue}").removesuffix(": ")
        return "failed", CellFailure(error, problem.exec_count, problem.source, text)
    except CellTimeoutError:
        minutes = (task.limits.seconds or 0) / 60
        return "timeout", _where(cells, f"not done after {minutes:g} minutes: give it a longer --timeout.")
    except DeadKernelError as problem:
        return "died", _where(cells, str(problem))
    except Exception as problem:  # a broken notebook, no kernel, a full disk: only this row suffers, not the batch
        if str(problem).startswith("Kernel died"):
            return "died", _where(cells, "the kernel died while it started.")
        _log.exception("%s", task.name)
        return "failed", _where(cells, describe(problem))
    return "done", None


def _papermill(task: Task, cells: Cells) -> None:
    import papermill
    from papermill.engines import papermill_engines

    from course.batch.engine import TransferkitEngine

    papermill_engines.register("transferkit", TransferkitEngine)
    notebook = papermill.execute_notebook(
        _literal(Path(task.notebook)),
        _literal(task.folder / NOTEBOOK),
        parameters=dict(task.parameters),
        engine_name="transferkit",
        progress_bar=False,
        start_timeout=START_SECONDS,
        cwd=Path(task.notebook).parent,
        seconds=task.limits.seconds,
        on_cell=cells.note,
    )
    if any(cell.metadata.papermill.get("status") == "failed" for cell in notebook.cells):  # papermill accepts that
        raise BatchError("SystemExit: the notebook ended itself before its last cell.")


def _refuse_change(task: Task) -> None:
    try:
        content = Path(task.notebook).read_bytes()
    except OSError as problem:
        raise BatchError(
            f"{task.notebook} can no longer be read ({problem.strerror}): restore it and start the batch again."
        ) from None
    if checksum_of(content) != task.checksum:
        raise BatchError(f"{task.notebook} has changed since the batch began: start the batch again.")
    if installed_code() != task.code:
        raise BatchError("the code installed here differs from where the batch was started: install the same code.")


def _where(cells: Cells, error: str) -> CellFailure:
    if cells.last is None or cells.last.metadata.papermill["status"] != "failed":
        return CellFailure(error)
    return CellFailure(error, cells.last.execution_count or len(cells.seconds), cells.last.source)


def _count_cells(path: Path) -> int:
    try:
        return sum(cell["cell_type"] == "code" for cell in json.loads(path.read_bytes())["cells"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _literal(path: Path) -> str:
    """A path with its braces doubled, because papermill fills in text between braces."""
    return str(path).replace("{", "{{").replace("}", "}}")
