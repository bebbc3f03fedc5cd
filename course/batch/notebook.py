"""The process in which one notebook runs: `python -m course.batch.notebook DESCRIPTOR`, which reads a task from stdin.

It sends the record of the notebook through DESCRIPTOR. When stdin closes, which happens when its parent dies, or on
SIGTERM, it ends the kernel and everything the kernel started, and then itself.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from multiprocessing.connection import Connection

from course import processes
from course.batch.execute import execute
from course.batch.records import Provenance
from course.batch.slots import gpu_slot, gpus
from course.batch.tasks import Task
from transferkit.hardware import processor_name

STOPPED = 75  # exit status: ended from outside, so nothing is known about the notebook
STARTED, ENDED = b"started", b"ended"
VERSIONS = ("transferkit", "torch", "numpy", "papermill", "nbclient", "ipykernel")


def main() -> None:
    """Read a task and run its notebook; send STARTED when its time begins, ENDED when it ends, then the record."""
    connection = Connection(int(sys.argv[1]), readable=False)
    os.set_inheritable(connection.fileno(), False)  # a kernel that outlives this process must not keep it open
    task = Task.decode(sys.stdin.buffer.readline())
    # Hide this module: jsonschema would spend 1.5 s per notebook compiling a grammar of web addresses.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # Python then calls it not installed
    signal.signal(signal.SIGTERM, lambda *_: _stop())
    threading.Thread(target=_stop_when_orphaned, daemon=True).start()
    with _device(task) as device:
        connection.send_bytes(STARTED)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        origin = Provenance(socket.gethostname(), device, _versions(), started)
        record = execute(task, origin, lambda: connection.send_bytes(ENDED))
        processes.kill(os.environ[processes.MARK])  # before another notebook gets the device
    connection.send_bytes(record.encode())


def _stop_when_orphaned() -> None:
    while os.read(sys.stdin.fileno(), 1):
        continue
    _stop()


def _stop() -> None:
    processes.kill(os.environ[processes.MARK])
    os._exit(STOPPED)


@contextmanager
def _device(task: Task) -> Iterator[str]:
    """Wait for a GPU, unless there is none or the notebook is to use the CPU; yield the name of the device."""
    there = gpus(os.environ)
    if not there or task.parameters.get("device") == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        yield processor_name()
        return
    with gpu_slot(tuple(there), task.limits.per_gpu) as device:
        os.environ["CUDA_VISIBLE_DEVICES"] = device
        yield there[device]


def _versions() -> dict[str, str]:
    found = {}
    for package in VERSIONS:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    main()
