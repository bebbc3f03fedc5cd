"""The processor's name, the usable cores, workers that end with their parent, and the installed code; without torch."""

import hashlib
import importlib.util
import multiprocessing
import os
import platform
import signal
import threading
from pathlib import Path

PACKAGES = ("transferkit", "data_prep", "course")  # whichever of them are installed


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


def installed_code() -> str:
    """SHA-256 of the source files of the installed packages: the same notebook under other code is another task."""
    total = hashlib.sha256()
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            for path in sorted(Path(folder).rglob("*.py")):
                total.update(f"{package}/{path.relative_to(folder)}".encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def tie_to_parent() -> None:
    """End this worker when its parent is gone, however that died; the parent alone decides what Ctrl-C means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
