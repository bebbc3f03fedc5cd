"""What a worker executes for one task: start the notebook's process, watch it, keep its receipt."""

import multiprocessing
import os
import secrets
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Literal

import msgspec
import psutil

from course import processes
from course.batch.notebook import STARTED, STOPPED
from course.batch.receipts import NOTEBOOK, PAGE, PULSE, RECEIPT, THUMBNAIL, Failure, Receipt, failed, find, keep, told
from course.batch.tasks import Task
from transferkit.disk import atomic
from transferkit.disk.locks import exclusive
from transferkit.errors import StoreError

LOCK = ".lock"
PROGRAM = "course.batch.notebook"
GRACE_SECONDS = 30.0  # beyond its own limit, for a process that does not end by itself
END_SECONDS = 10.0
TAIL_BYTES = 4000
Waiting = Literal["busy", "stopped"]


def perform(task: Task, attempt: int = 1) -> Receipt | Waiting:
    """Run one notebook in a process of its own, unless it is done already; the receipt says how it ended.

    Returns "busy" when another batch is running this very task, and "stopped" when it was stopped from outside: then
    nothing is kept. Nothing is raised: what cannot be written is a failure in the receipt.
    """
    try:
        with exclusive(task.folder / LOCK, wait=False) as mine:
            if not mine:
                return "busy"
            if done := find(task):
                return done
            _clear(task.folder)
            receipt = _watch(task)
            return keep(task, replace(receipt, attempt=attempt)) if receipt else "stopped"
    except (StoreError, OSError) as problem:
        return failed(task, Failure(told(problem)), attempt=attempt)


def is_notebook(process: psutil.Process) -> bool:
    """Whether this is a process that `perform` has started."""
    try:
        return PROGRAM in process.cmdline()
    except psutil.Error:
        return False


def _clear(folder: Path) -> None:
    """Remove what an earlier attempt left. The receipt goes first: without it nothing there counts as done."""
    for name in (RECEIPT, NOTEBOOK, PAGE, THUMBNAIL, PULSE):
        (folder / name).unlink(missing_ok=True)
    atomic.sweep_partials(folder)


def _watch(task: Task) -> Receipt | None:
    """The receipt of a notebook, run now; None when it was stopped from outside."""
    mark = secrets.token_hex(16)
    reader, writer = multiprocessing.Pipe(duplex=False)
    with tempfile.TemporaryFile() as log, reader:
        process = _start(task, mark, writer, log)
        try:
            receipt = _listen(task, process, reader)
        finally:
            assert process.stdin is not None
            process.stdin.close()  # if it still runs, it now ends its kernel and itself
            _end(process)
            processes.kill(mark)
        if receipt and receipt.failure and receipt.outcome == "died" and not receipt.failure.traceback:
            return replace(receipt, failure=replace(receipt.failure, traceback=_tail(log)))
        return receipt


def _start(task: Task, mark: str, writer: Connection, log: IO[bytes]) -> subprocess.Popen[bytes]:
    environment = os.environ | {processes.MARK: mark, "TRANSFERKIT_WORK": task.work}
    if task.limits.cores is not None:
        environment |= {"TRANSFERKIT_CORES": str(task.limits.cores), "OMP_NUM_THREADS": str(task.limits.cores)}
    with writer:
        process = subprocess.Popen(
            [sys.executable, "-m", PROGRAM, str(writer.fileno())],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            pass_fds=[writer.fileno()],
            start_new_session=True,  # Ctrl-C is for the runner, which decides what it means
        )
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # when it has died already, which is noticed where it is listened to
        process.stdin.write(msgspec.json.encode(task) + b"\n")
        process.stdin.flush()
    return process


def _listen(task: Task, process: subprocess.Popen[bytes], reader: Connection) -> Receipt | None:
    limit = task.limits.seconds
    try:
        if reader.recv_bytes() == STARTED and not reader.poll(None if limit is None else limit + GRACE_SECONDS):
            return failed(task, Failure(f"not done after {(limit or 0) / 60:g} minutes, and did not react."), "timeout")
        return msgspec.json.decode(reader.recv_bytes(), type=Receipt)
    except EOFError:
        status = process.wait()
    if status == STOPPED:
        return None
    return failed(
        task, Failure(f"the process that ran the notebook died: it {processes.describe_exit(status)}"), "died"
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tail(log: IO[bytes]) -> str:
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - TAIL_BYTES))
    return log.read().decode(errors="replace").strip()
