"""What a worker does for one task: start the notebook's process, watch it, keep its record."""

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

import psutil

from course import processes
from course.batch.machine import Moment, explain_kill
from course.batch.notebook import ENDED, STARTED, STOPPED
from course.batch.records import FILES, CellFailure, Record, describe, failed, find, keep
from course.batch.tasks import Task
from transferkit.disk import atomic
from transferkit.errors import StoreError

LOCK = ".lock"
PROGRAM = "course.batch.notebook"
GRACE_SECONDS = 30.0  # beyond its own limit, for a process that does not end by itself
FILES_SECONDS = 900.0  # for the page of a notebook whose cells have ended
END_SECONDS = 10.0
TAIL_BYTES = 4000
Waiting = Literal["busy", "stopped"]


def perform(task: Task, attempt: int = 1) -> Record | Waiting:
    """Run one notebook in a process of its own, unless it is done already; return the record of how it ended.

    Returns "busy" when another batch is running this very task, and "stopped" when it was stopped from outside; then
    nothing is kept. Raises nothing: a file that cannot be written is a failure in the record.
    """
    try:
        with atomic.exclusive(task.folder / LOCK, wait=False) as mine:
            if not mine:
                return "busy"
            if done := find(task):
                return done
            _clear(task.folder)
            record = _watch(task)
            return keep(task, replace(record, attempt=attempt)) if record else "stopped"
    except (StoreError, OSError) as problem:
        return failed(task, CellFailure(describe(problem)), attempt=attempt)


def is_notebook(process: psutil.Process) -> bool:
    """Whether `perform` has started this process."""
    try:
        return PROGRAM in process.cmdline()
    except psutil.Error:
        return False


def _clear(folder: Path) -> None:
    """Remove what an earlier attempt left. The record goes first: without it, nothing counts as done."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    atomic.sweep_partials(folder)


def _watch(task: Task) -> Record | None:
    """Run a notebook and return its record; None when it was stopped from outside."""
    mark = secrets.token_hex(16)
    reader, writer = multiprocessing.Pipe(duplex=False)
    with tempfile.TemporaryFile() as log, reader:
        process = _start(task, mark, writer, log)
        try:
            record = _listen(task, process, reader)
        finally:
            assert process.stdin is not None
            process.stdin.close()  # a process that still runs now ends its kernel and itself
            _end(process)
            processes.kill(mark)
        if record and record.failure and record.outcome == "died" and not record.failure.traceback:
            return replace(record, failure=replace(record.failure, traceback=_tail(log)))
        return record


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
            start_new_session=True,  # the runner alone decides what Ctrl-C means
        )
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # it has died already, which _listen notices
        process.stdin.write(task.encode() + b"\n")
        process.stdin.flush()
    return process


def _listen(task: Task, process: subprocess.Popen[bytes], reader: Connection) -> Record | None:
    limit, before = task.limits.seconds, Moment.now()
    try:
        if reader.recv_bytes() == STARTED and not reader.poll(None if limit is None else limit + GRACE_SECONDS):
            late = f"not done after {(limit or 0) / 60:g} minutes, and it did not react: give it a longer --timeout."
            return failed(task, CellFailure(late), "timeout")
        message = reader.recv_bytes()
        if message == ENDED and not reader.poll(FILES_SECONDS):
            late = f"its cells ended, but its page took more than {FILES_SECONDS / 60:g} minutes: let it print less."
            return failed(task, CellFailure(late))
        return Record.decode(reader.recv_bytes() if message == ENDED else message)
    except EOFError:
        status = process.wait()
    if status == STOPPED:
        return None
    died = explain_kill(processes.describe_exit(status), before)
    return failed(task, CellFailure(f"the process that ran the notebook died: it {died}"), "died")


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
