"""Run one notebook through papermill, in this process, and record how it ended."""

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from course.batch.files import keep_files
from course.batch.kernels import Kernel, choose_kernel
from course.batch.machine import Moment, explain_kill, explain_timeout, lack_of_memory
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
from course.batch.tasks import Task, read_notebook, shown
from course.errors import BatchError
from course.processes import Memory
from transferkit.errors import StoreError, TransferkitError
from transferkit.hardware import installed_code

TEXT_LENGTH = 20_000  # characters kept of a traceback
START_SECONDS = 300  # for a kernel to come up on a busy machine
_log = logging.getLogger(__name__)


class Cells:
    """The code cells that have ended so far: their seconds by number, and the last of them; and what runs them."""

    def __init__(self, task: Task, planned: int, memory: Memory, before: Moment) -> None:
        self.seconds: dict[str, float] = {}
        self.last: Any = None
        self.kernel: Kernel | None = None
        self.before = before
        self._task, self._planned, self._memory = task, planned, memory

    def note(self, cell: Any, seconds: float) -> None:
        """Note a cell that has ended."""
        self.last = cell
        self.seconds[str(len(self.seconds) + 1)] = round(seconds, 3)
        self._memory.sample()
        beat(self._task, len(self.seconds) / max(self._planned, len(self.seconds)))

    def why_late(self) -> str:
        """Why the notebook did not end in time."""
        minutes, processor = (self._task.limits.seconds or 0) / 60, sum(self._memory.processor.values())
        return explain_timeout(minutes, processor, self.before, Moment.now())


def execute(task: Task, origin: Provenance, ended: Callable[[], None] = lambda: None) -> Record:
    """Run a task's notebook and write its files into the task's folder; return the record, without writing it.

    Calls `ended` when the cells have ended, before the files are made. Raises nothing: whatever goes wrong is in the
    record.
    """
    before = Moment.now()
    with Memory() as memory:
        cells = Cells(task, _count_cells(Path(task.notebook)), memory, before)
        outcome, failure = _run(task, cells)
    ended()
    notes = [cells.kernel.note] if cells.kernel else []
    if outcome != "done":
        notes.append(lack_of_memory(before, Moment.now()))
    files: dict[str, str] = {}
    alt = ""
    try:
        files, alt = keep_files(task)
    except StoreError as problem:
        outcome, failure = "failed", failure or CellFailure(describe(problem))
    processor = round(sum(memory.processor.values()), 2)
    usage = Usage(round(time.monotonic() - before.clock, 2), cells.seconds, round(memory.peak / 1e6, 1), processor)
    return Record(
        task.notebook, task.parameters, task.checksum, task.code, outcome,
        failure=failure, usage=usage, origin=origin, files=files, alt=alt, notes=tuple(filter(None, notes)),
    )  # fmt: skip


def _run(task: Task, cells: Cells) -> tuple[TaskOutcome, CellFailure | None]:
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError, strip_color

    try:
        _papermill(task, cells)
    except PapermillExecutionError as problem:
        text = strip_color("\n".join(problem.traceback))[-TEXT_LENGTH:]
        error = strip_color(f"{problem.ename}: {problem.evalue}").removesuffix(": ")
        return "failed", CellFailure(error, problem.exec_count, problem.source, text)
    except CellTimeoutError:
        return "timeout", _where(cells, cells.why_late())
    except DeadKernelError as problem:
        return "died", _where(cells, explain_kill(str(problem), cells.before))
    except Exception as problem:  # a broken notebook, no kernel, a full disk: only this row suffers, not the batch
        if str(problem).startswith("Kernel died"):
            return "died", _where(cells, "the kernel died while it started.")
        if not isinstance(problem, TransferkitError):
            _log.exception("%s", task.name)
        return "failed", _where(cells, describe(problem))
    return "done", None


def _papermill(task: Task, cells: Cells) -> None:
    import papermill
    from papermill.engines import papermill_engines
    from papermill.translators import papermill_translators

    from course.batch.engine import LiteralTranslator, TransferkitEngine

    cells.kernel = choose_kernel(_metadata(_unchanged(task)), task.kernel)
    papermill_engines.register("transferkit", TransferkitEngine)
    papermill_translators.register("python", LiteralTranslator)
    notebook = papermill.execute_notebook(
        _literal(Path(task.notebook)),
        _literal(task.folder / NOTEBOOK),
        parameters=dict(task.parameters),
        engine_name="transferkit",
        kernel_name=cells.kernel.name,
        language=cells.kernel.language,
        progress_bar=False,
        start_timeout=START_SECONDS,
        cwd=Path(task.notebook).parent,
        seconds=task.limits.seconds,
        on_cell=cells.note,
    )
    if any(cell.metadata.papermill.get("status") == "failed" for cell in notebook.cells):  # papermill accepts that
        raise BatchError("SystemExit: the notebook ended itself before its last cell.")


def _unchanged(task: Task) -> bytes:
    """The content of the notebook. Raises BatchError when it, or the installed code, is not that of the plan."""
    name = shown(Path(task.notebook).name)
    try:
        content = read_notebook(Path(task.notebook))
    except OSError as problem:
        raise BatchError(
            f"{name} cannot be read ({problem.strerror}): put the notebook there and start the batch again."
        ) from None
    if checksum_of(content) != task.checksum:
        raise BatchError(f"{name} has changed since the batch began: start the batch again.")
    if installed_code() != task.code:
        raise BatchError("the code installed here differs from where the batch was started: install the same code.")
    return content


def _metadata(content: bytes) -> dict[str, Any]:
    """The metadata of a notebook. Raises BatchError when it is none."""
    try:
        found = json.loads(content)["metadata"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BatchError("it is not a notebook: save it again in Jupyter, or leave it out.") from None
    return found if isinstance(found, dict) else {}


def _where(cells: Cells, error: str) -> CellFailure:
    if cells.last is None or cells.last.metadata.papermill["status"] != "failed":
        return CellFailure(error)
    return CellFailure(error, cells.last.execution_count or len(cells.seconds), cells.last.source)


def _count_cells(path: Path) -> int:
    try:
        return sum(cell["cell_type"] == "code" for cell in json.loads(read_notebook(path))["cells"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _literal(path: Path) -> str:
    """A path with its braces doubled, because papermill fills in text between braces."""
    return str(path).replace("{", "{{").replace("}", "}}")
