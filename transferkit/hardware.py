"""The processor's name, the cores that are ours, and workers that end with their parent."""

import multiprocessing
import os
import platform
import signal
import threading
from pathlib import Path


def processor_name() -> str:
    """The model of the processor, or at least its architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def usable_cores() -> int:
    """How many cores this process may keep busy: `TRANSFERKIT_CORES` if set, else those it is allowed to run on.

    A batch sets it for each of the notebooks that run beside others.
    """
    if (share := os.environ.get("TRANSFERKIT_CORES", "")).isdecimal():
        return max(1, int(share))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def tie_to_parent() -> None:
    """End this worker when its parent is gone, however that died; the parent alone decides what Ctrl-C means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
