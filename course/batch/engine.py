"""The papermill engine `transferkit`: it refuses parameters that do nothing, and reports honestly how cells end.

`papermill --engine transferkit in.ipynb out.ipynb -p split natural`. Papermill imports this module whenever it
starts, so it must import quickly.
"""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_async
from nbclient.exceptions import CellExecutionComplete, CellExecutionError, DeadKernelError
from nbformat.v4 import new_output
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager
from papermill.iorw import LocalHandler, papermill_io
from papermill.translators import PythonTranslator

from course.batch.parameters import check, read_code
from course.batch.streams import Printed
from course.processes import describe_exit
from transferkit.disk import atomic

SAVE_SECONDS = 5.0
OUTPUT_LIMIT = 10_000_000  # characters that a notebook may print; the rest is dropped
SILENCE_SECONDS = 20  # without a message from a kernel that has answered: what is missing then was lost
NEVER = 10**9  # seconds
SOCKET_LENGTH = 100  # bytes of a socket's path that every system allows
OnCell = Callable[[Any, float], None]


class TransferkitEngine(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """Papermill's own engine, but it tells apart how cells end, coalesces streams, and writes files whole."""

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, output_path: str | None = None, **options: Any) -> Any:
        """Execute the notebook `nb`, into which papermill has injected parameters; return it with its outputs.

        Papermill's options apply, and two more: `seconds` limits all cells together, and `on_cell` is called after
        every code cell with that cell and the seconds it took. Raises UsageError, before anything runs or is written,
        when a parameter is unknown, unread or of a wrong type. Raises CellTimeoutError or DeadKernelError after saving
        the notebook with the outputs so far.
        """
        _refuse(nb, options.get("input_path"))
        _write_atomically(output_path)
        shown = {name: options.pop(name) for name in ("progress_bar", "autosave_cell_every") if name in options}
        manager = TruthfulManager(nb, output_path, log_output=options.get("log_output", False), **shown)
        manager.notebook_start()
        try:
            cls.execute_managed_notebook(manager, kernel_name, **options)
            manager.reached_end = True
        finally:
            manager.notebook_complete()
        return manager.nb

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        """Run the cells one by one, up to the first that fails."""
        passed = ("log_output", "stdout_file", "stderr_file")
        client = TruthfulClient(
            nb_man,
            timeout=options.get("execution_timeout"),
            startup_timeout=options.get("start_timeout", 60),
            iopub_timeout=NEVER,  # papermill gives a busy machine 4 seconds; see _async_poll_output_msg
            kernel_name=kernel_name,
            kernel_manager_class=PrivateKernel,
            **{name: options[name] for name in passed if name in options},
        )
        client.follow(options.get("seconds"), options.get("on_cell"))
        client.execute()


class TruthfulManager(NotebookExecutionManager):  # type: ignore[misc]
    """Papermill's record of a notebook, which calls only those cells completed that ran to their end."""

    reached_end = False

    def save(self, **options: Any) -> None:
        """Write the notebook, at most every SAVE_SECONDS and at its end; papermill writes it twice per cell."""
        if self.end_time or (self.now() - self.last_save_time).total_seconds() > SAVE_SECONDS:
            super().save(**options)

    def notebook_complete(self, **options: Any) -> None:
        """Finish the record: cells that never ran stay pending, and a notebook that broke off is marked."""
        self.end_time = self.now()
        record = self.nb.metadata.papermill
        record["end_time"] = self.end_time.isoformat()
        record["duration"] = (self.end_time - self.start_time).total_seconds()
        if not self.reached_end:
            record["exception"] = True
        self.cleanup_pbar()
        self.save()


class TruthfulClient(PapermillNotebookClient):  # type: ignore[misc]
    """Papermill's client, but it also marks a cell as failed when the kernel dies or time runs out."""

    deadline: float | None = None
    on_cell: OnCell | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.printed = Printed(OUTPUT_LIMIT)

    def follow(self, seconds: float | None, on_cell: OnCell | None) -> None:
        """Limit all cells together to `seconds` from now, and call `on_cell` after each code cell."""
        if seconds is not None:
            self.deadline = monotonic() + seconds
            self.timeout_func = self._seconds_left
        self.on_cell = on_cell

    def papermill_execute_cells(self) -> None:
        """Execute all cells as papermill does, but mark a cell as failed whatever broke it off."""
        for index, cell in enumerate(self.nb.cells):
            started = monotonic()
            self.nb_man.cell_start(cell, index)
            try:
                self.execute_cell(cell, index)
            except CellExecutionError as problem:
                self.nb_man.cell_exception(cell, cell_index=index, exception=problem)
                return
            except BaseException as problem:
                self.nb_man.cell_exception(cell, cell_index=index, exception=problem)
                self.shutdown_kernel = "immediate"
                raise self._explain(problem) from problem
            finally:
                self.printed.flush()
                self.nb_man.cell_complete(cell, cell_index=index)
                if cell.cell_type == "code" and self.on_cell is not None:
                    self.on_cell(cell, monotonic() - started)

    def output(self, outs: list[Any], msg: dict[str, Any], display_id: Any, cell_index: int) -> Any:
        """Take an output of a cell; coalesce what is printed, and drop what the notebook prints beyond OUTPUT_LIMIT."""
        output = super().output(outs, msg, display_id, cell_index)
        if output is None or output.output_type != "stream":
            return output
        outs.pop()
        if self.printed.left < 0:
            return None
        if len(output.text) > self.printed.left:
            self.printed.left = 0
            output.text = f"\n[what is printed after {OUTPUT_LIMIT:,} characters is not kept]\n"
        self.printed.add(outs, output)
        return output

    async def _async_poll_output_msg(self, parent_msg_id: str, cell: Any, cell_index: int) -> None:
        """Process the messages of a cell to the last, however long they take to come.

        nbclient gives them a fixed time from the kernel's answer on, and then calls the cell timed out. ZeroMQ drops
        messages when a cell prints faster than they can be fetched, and the last one may be among them.
        """
        assert self.kc is not None
        while True:
            try:
                msg = await ensure_async(self.kc.iopub_channel.get_msg(timeout=SILENCE_SECONDS))
            except Empty:
                if not _answered(cell):
                    continue
                self._note_loss(cell)
                return
            if msg["parent_header"].get("msg_id") != parent_msg_id:
                continue
            try:
                self.process_message(msg, cell, cell_index)
            except CellExecutionComplete:
                return
            if _answered(cell) and self.deadline is not None and monotonic() > self.deadline:
                self._note_loss(cell)
                return

    def _note_loss(self, cell: Any) -> None:
        text = "\n[the cell printed faster than could be kept: some of it is missing]\n"
        self.printed.add(cell.outputs, new_output("stream", name="stderr", text=text))

    def _seconds_left(self, cell: Any) -> float:
        assert self.deadline is not None
        return max(0.01, self.deadline - monotonic())  # nbclient takes 0 for no limit

    def _explain(self, problem: BaseException) -> BaseException:
        if not isinstance(problem, DeadKernelError):
            return problem
        status = getattr(getattr(getattr(self.km, "provisioner", None), "process", None), "returncode", None)
        return DeadKernelError(f"the kernel died: it {describe_exit(status)}")


class PrivateKernel(AsyncKernelManager):
    """A kernel reached through files that only its user can open.

    Jupyter chooses free TCP ports, and another program may take one before the kernel does. The kernel then dies while
    it starts: the more notebooks start at once, the more often (papermill's issue 511).
    """

    def __init__(self, **options: Any) -> None:
        self._folder = tempfile.mkdtemp(prefix="kernel-")
        place = Path(self._folder, "k.json")
        fits = os.name == "posix" and len(os.fsencode(place)) < SOCKET_LENGTH
        super().__init__(connection_file=str(place), transport="ipc" if fits else "tcp", **options)

    def cleanup_ipc_files(self) -> None:
        """Delete them, and their folder unless the kernel is about to start again."""
        super().cleanup_ipc_files()
        with suppress(OSError):
            os.rmdir(self._folder)


class LiteralTranslator(PythonTranslator):  # type: ignore[misc]
    """Papermill's way to write parameters, but tuples stay tuples; papermill makes text of them."""

    @classmethod
    def translate(cls, val: Any) -> str:
        """The value as Python source."""
        return repr(val)


def _refuse(nb: Any, notebook: Any) -> None:
    given = nb.metadata.papermill.get("parameters")
    language = nb.metadata.get("language_info", {}).get("name") or nb.metadata.get("kernelspec", {}).get("language")
    if given and language in (None, "python"):
        check(read_code(nb), given, notebook if isinstance(notebook, str) else "this notebook")


def _answered(cell: Any) -> bool:
    """Whether the kernel has ended a cell: nbclient notes when its answer came."""
    return "shell.execute_reply" in cell.metadata.get("execution", {})


class _AtomicHandler(LocalHandler):  # type: ignore[misc]
    """Papermill's file access, but it writes a temporary file and renames it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._cwd = str(folder)

    def write(self, buf: str, path: str) -> None:
        """Replace the file at `path`. Raises StoreError, and leaves the file unchanged, when it cannot be written."""
        # JSON's own escape is written so, and a file's name may hold bytes that are no text
        atomic.write_bytes(Path(self._cwd) / path, buf.encode(errors="backslashreplace"))


def _write_atomically(output_path: str | None) -> None:
    """Take over how papermill writes this one file, even after the engine is done."""
    if not output_path or output_path == "-" or "://" in output_path:
        return
    if not isinstance(papermill_io.get_handler(output_path), _AtomicHandler):
        folder = papermill_io.get_handler("local")._cwd or os.getcwd()
        papermill_io.register(output_path, _AtomicHandler(Path(folder)))
