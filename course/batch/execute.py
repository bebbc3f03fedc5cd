"""One notebook through papermill, in this process, and how it ended."""

import json
import logging
import time
from pathlib import Path
from typing import Any

from course.batch.files import keep_files
from course.batch.receipts import NOTEBOOK, Failure, Origin, Outcome, Receipt, Usage, beat, checksum_of, told
from course.batch.tasks import Task
from course.processes import Memory
from transferkit.errors import BatchError, StoreError
from transferkit.training.machine import installed_code

TEXT_LENGTH = 20_000  # characters kept of a traceback
START_SECONDS = 300  # for a kernel to come up on a busy machine
_log = logging.getLogger(__name__)


class Cells:
    """What is seen of the code cells while they run: seconds by number, the last one, and how many there are."""

    def __init__(self, task: Task, planned: int, memory: Memory) -> None:
        self.seconds: dict[str, float] = {}
        self.last: Any = None
        self._task, self._planned, self._memory = task, planned, memory

    def note(self, cell: Any, seconds: float) -> None:
        """Take down a cell that has ended."""
        self.last = cell
        self.seconds[str(len(self.seconds) + 1)] = round(seconds, 3)
        self._memory.sample()
        beat(self._task, len(self.seconds) / max(self._planned, len(self.seconds)))


def execute(task: Task, origin: Origin) -> Receipt:
    """Run a task's notebook and write its files into the task's folder; the receipt, which is not written here.

    Whatever goes wrong is in the receipt; nothing is raised.
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
        outcome, failure = "failed", failure or Failure(told(problem))
    usage = Usage(round(time.monotonic() - started, 2), cells.seconds, round(memory.peak / 1e6, 1))
    return Receipt(
        task.notebook, task.parameters, task.checksum, task.code, outcome,
        failure=failure, usage=usage, origin=origin, files=files, alt=alt,
    )  # fmt: skip


def _run(task: Task, cells: Cells) -> tuple[Outcome, Failure | None]:
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError, strip_color

    try:
        _refuse_change(task)
        _papermill(task, cells)
    except PapermillExecutionError as problem:
        text = strip_color("\n".join(problem.traceback))[-TEXT_LENGTH:]
        told_ = strip_color(f"{problem.ename}: {problem.evalue}").removesuffix(": ")
        return "failed", Failure(told_, problem.exec_count, problem.source, text)
    except CellTimeoutError:
        return "timeout", _where(cells, f"not done after {_minutes(task.limits.seconds)}: give it a longer --timeout.")
    except DeadKernelError as problem:
        return "died", _where(cells, str(problem))
    except Exception as problem:  # a broken notebook, no kernel, a full disk: this row's trouble, not the batch's
        if str(problem).startswith("Kernel died"):
            return "died", _where(cells, "the kernel died while it started.")
        _log.exception("%s", task.name)
        return "failed", _where(cells, told(problem))
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
    if any(cell.metadata.papermill.get("status") == "failed" for cell in notebook.cells):
        raise BatchError("SystemExit: the notebook ended itself before its last cell.")  # papermill lets it pass


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
        raise BatchError("transferkit is another one here than where the batch was started: install the same code.")


def _where(cells: Cells, error: str) -> Failure:
    if cells.last is None or cells.last.metadata.papermill["status"] != "failed":
        return Failure(error)
    return Failure(error, cells.last.execution_count or len(cells.seconds), cells.last.source)


def _count_cells(path: Path) -> int:
    try:
        return sum(cell["cell_type"] == "code" for cell in json.loads(path.read_bytes())["cells"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _minutes(seconds: float | None) -> str:
    return f"{(seconds or 0) / 60:g} minutes"


def _literal(path: Path) -> str:
    """A path as papermill takes it, which would fill in what stands in braces."""
    return str(path).replace("{", "{{").replace("}", "}}")
