"""A process in a sandbox that answers one request after the other, watched for its time and memory."""

import os
import secrets
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import psutil

from course import processes
from course.asking.frames import HEADER, frame
from course.asking.limits import SandboxLimits
from course.grading.sandbox import contained, environment
from course.grading.watch import OwnTime, family, own_memory

START_SECONDS = 300.0  # by the clock, to import torch on a busy machine
TICK_SECONDS = 0.1
CROWDED = 20.0  # times the own time that a request may take by the clock
MOST_PROCESSES = 0.75  # of the limit, with the sandbox's own; more counts as an endless number
LEAST_AVAILABLE = 0.04  # share of the machine's memory; with less, the process is ended
Reason = Literal["timeout", "memory", "processes", "died", "output", "machine", "crowded"]


@dataclass(frozen=True)
class Program:
    """A module to run, its arguments after the limits, and whether it judges, so that it may see the whole course."""

    module: str
    arguments: tuple[str, ...] = ()
    judges: bool = False


class EndedError(Exception):
    """The process was ended, or ended itself, for `reason`."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Session:
    """A process of a program, started at once; only the thread that made it may use it.

    Without `enclosed` the process is limited, but not contained. Close it, or use it in a `with`.
    """

    def __init__(self, program: Program, limits: SandboxLimits, *, enclosed: bool) -> None:
        self._limits, self._mark, self._at_first = limits, secrets.token_hex(16), 0
        self._home = None if enclosed else tempfile.mkdtemp(prefix="transferkit-grading-")
        command = [sys.executable, "-m", program.module, msgspec.json.encode(limits).decode(), *program.arguments]
        extra = {} if self._home is None else {"HOME": self._home, processes.MARK: self._mark}
        self._process = subprocess.Popen(
            contained(command, limits, judges=program.judges) if enclosed else command,
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
        end = time.monotonic() + START_SECONDS

        def watch() -> None:
            if time.monotonic() > end:
                raise EndedError("crowded")

        self._exchange(b"", watch)
        self._at_first = own_memory(family(self._process.pid))

    def ask(self, request: bytes, seconds: float) -> bytes:
        """The answer to a request, within `seconds` of the process's own. Raises EndedError; then only close it."""
        own, end = OwnTime(family(self._process.pid)), time.monotonic() + CROWDED * seconds

        def watch() -> None:
            members = family(self._process.pid)
            own.look(members)
            self._watch_memory(members)
            if own.seconds > seconds:
                raise EndedError("timeout")
            if time.monotonic() > end:
                raise EndedError("crowded")

        return self._exchange(frame(request), watch)

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

    def _exchange(self, to_write: bytes, watch: Callable[[], None]) -> bytes:
        """Write `to_write` while reading one message. What has come is looked at first, and only then the watch."""
        left, came = memoryview(to_write), bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            if left:
                selector.register(self._input, selectors.EVENT_WRITE)
            while (length := self._length(came)) is None or len(came) < HEADER + length:
                ready = selector.select(TICK_SECONDS)
                for key, _ in ready:
                    if key.fd == self._output:
                        came += self._read()
                    else:
                        left = left[self._write(left) :]
                        if not left:
                            selector.unregister(self._input)
                if not ready:
                    watch()
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

    def _watch_memory(self, members: Sequence[psutil.Process]) -> None:
        machine = psutil.virtual_memory()
        if machine.available < LEAST_AVAILABLE * machine.total:
            raise EndedError("machine")
        if len(members) > MOST_PROCESSES * self._limits.processes:
            raise EndedError("processes")
        if own_memory(members) - self._at_first > self._limits.memory:
            raise EndedError("memory")
