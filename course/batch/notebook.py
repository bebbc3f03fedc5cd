"""The process in which one notebook runs: `python -m course.batch.notebook DESCRIPTOR`, a task on its input.

Its input stays open as long as whoever started it lives; when it closes, or on SIGTERM, this process ends the kernel
and all that the kernel started, and then itself. What came of the notebook is sent through DESCRIPTOR.
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

import msgspec

from course import processes
from course.batch.execute import execute
from course.batch.receipts import Origin
from course.batch.slots import gpu_slot, gpus
from course.batch.tasks import Task
from transferkit.hardware import processor_name

STOPPED = 75  # exit status: ended from outside, nothing is known about the notebook
STARTED = b"started"
VERSIONS = ("transferkit", "torch", "numpy", "papermill", "nbclient", "ipykernel")


def main() -> None:
    """Read a task, run its notebook; send STARTED when its time begins, and the receipt when it is over."""
    connection = Connection(int(sys.argv[1]), readable=False)
    os.set_inheritable(connection.fileno(), False)  # or a kernel that outlived this process would keep it open
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    # jsonschema would compile a grammar of web addresses, 1.5 s per notebook, which nothing here needs
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]  # what Python takes for "not installed"
    signal.signal(signal.SIGTERM, lambda *_: _stop())
    threading.Thread(target=_stop_when_orphaned, daemon=True).start()
    with _device(task) as device:
        connection.send_bytes(STARTED)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        receipt = execute(task, Origin(socket.gethostname(), device, _versions(), started))
        processes.kill(os.environ[processes.MARK])  # before the device is given to another notebook
    connection.send_bytes(msgspec.json.encode(receipt))


def _stop_when_orphaned() -> None:
    while os.read(sys.stdin.fileno(), 1):
        continue
    _stop()


def _stop() -> None:
    processes.kill(os.environ[processes.MARK])
    os._exit(STOPPED)


@contextmanager
def _device(task: Task) -> Iterator[str]:
    """Wait for a GPU if there are any and the notebook is not told to use none; yield the name of the device."""
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
