"""A process in a sandbox that answers one request after the other, watched for its time and memory."""

import os
import secrets
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

import msgspec
import psutil

from course import processes
from course.grading.frames import HEADER, frame
from course.grading.sandbox import SandboxLimits, contained, environment

START_SECONDS = 180.0  # to import torch on a busy machine
TICK_SECONDS = 0.05
MOST_PROCESSES = 0.75  # of the limit, with the sandbox's own; more counts as an endless number
LEAST_AVAILABLE = 0.04  # share of the machine's memory; with less, the process is ended
Reason = Literal["timeout", "memory", "processes", "died", "output", "machine"]


class EndedError(Exception):
    """The process was ended, or ended itself, for `reason`."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Session:
    """A process of the module `program`, started at once; only the thread that made it may use it.

    Without `enclosed` the process is limited, but not contained. Close it, or use it in a `with`.
    """

    def __init__(self, program: str, limits: SandboxLimits, *, enclosed: bool) -> None:
        self._limits, self._mark = limits, secrets.token_hex(16)
        self._home = None if enclosed else tempfile.mkdtemp(prefix="transferkit-grading-")
        command = [sys.executable, "-m", program, msgspec.json.encode(limits).decode()]
        extra = {} if self._home is None else {"HOME": self._home, processes.MARK: self._mark}
        self._process = subprocess.Popen(
            contained(command, limits) if enclosed else command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment() | extra,
            cwd=self._home or "/",
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin.fileno(), self._process.stdout.fileno()
        for pipe in (self._input, self._output):
            os.set_blocking(pipe, False)

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def wait_until_ready(self) -> None:
        """Wait for the first message, before which no stranger's code runs. Raises EndedError."""
        self._exchange(b"", START_SECONDS, watched=False)

    def ask(self, request: bytes, seconds: float) -> bytes:
        """The answer to a request, within `seconds`. Raises EndedError; the session can then only be closed."""
        return self._exchange(frame(request), seconds)

    def close(self) -> None:
        """End the process and everything it started."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        if self._home is not None:
            processes.kill(self._mark)
            shutil.rmtree(self._home, ignore_errors=True)

    def _exchange(self, to_write: bytes, seconds: float, *, watched: bool = True) -> bytes:
        """Write `to_write` while reading one message, for at most `seconds`."""
        end, left, came = time.monotonic() + seconds, memoryview(to_write), bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            if left:
                selector.register(self._input, selectors.EVENT_WRITE)
            while (length := self._length(came)) is None or len(came) < HEADER + length:
                if time.monotonic() > end:
                    raise EndedError("timeout")
                if watched:
                    self._watch()
                for key, _ in selector.select(TICK_SECONDS):
                    if key.fd == self._output:
                        came += self._read()
                    else:
                        left = left[self._write(left) :]
                        if not left:
                            selector.unregister(self._input)
        return bytes(came[HEADER : HEADER + length])

    def _length(self, came: bytearray) -> int | None:
        if len(came) < HEADER:
            return None
        length = int.from_bytes(came[:HEADER], "little")
        if length > self._limits.answer:
            raise EndedError("output")
        return length

    def _read(self) -> bytes:
        piece = os.read(self._output, 2**16)
        if not piece:
            raise EndedError("died")
        return piece

    def _write(self, left: memoryview) -> int:
        try:
            return os.write(self._input, left)
        except BrokenPipeError:
            raise EndedError("died") from None

    def _watch(self) -> None:
        machine = psutil.virtual_memory()
        if machine.available < LEAST_AVAILABLE * machine.total:
            raise EndedError("machine")
        members = self._members()
        if len(members) > MOST_PROCESSES * self._limits.processes:
            raise EndedError("processes")
        if sum(map(_own_memory, members)) > self._limits.memory:
            raise EndedError("memory")

    def _members(self) -> list[psutil.Process]:
        try:
            first = psutil.Process(self._process.pid)
            return [first, *first.children(recursive=True)]
        except processes.GONE:
            return []


def _own_memory(process: psutil.Process) -> int:
    """Bytes of memory of a process, without files; memory that several share is divided among them."""
    try:
        table = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        shares = {name: line.split() for name, _, line in (row.partition(":") for row in table.splitlines())}
        return 1024 * sum(int(shares[name][0]) for name in ("Pss_Anon", "Pss_Shmem"))
    except (OSError, KeyError, IndexError, ValueError):  # other systems, older kernels, or it has just ended
        return _roughly_own_memory(process)


def _roughly_own_memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except processes.GONE:
        return 0
