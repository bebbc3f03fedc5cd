"""What a training runs on and with: device, precision, threads, versions, and the code that is installed."""

import ctypes
import hashlib
import importlib.util
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from transferkit import __version__
from transferkit.config import Device, Precision
from transferkit.errors import TrainingError, UsageError
from transferkit.hardware import processor_name

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def choose_device(wanted: str) -> Device:
    """`cpu` or `cuda`; `auto` takes CUDA where there is some. Raises UsageError when it cannot be had."""
    available = torch.cuda.is_available()
    if wanted not in ("auto", "cpu", "cuda"):
        raise UsageError(f"'{wanted}' is no device: choose auto, cpu or cuda.")
    if wanted == "cuda" and not available:
        raise UsageError("no CUDA device can be used here: choose --device cpu or auto, or mend the driver.")
    return "cuda" if wanted == "cuda" or (wanted == "auto" and available) else "cpu"


def choose_precision(wanted: str, device: Device) -> Precision:
    """`float32` or `bfloat16`; `auto` takes bfloat16 where the hardware multiplies it natively, twice as fast."""
    if wanted == "float32":
        return "float32"
    if wanted == "bfloat16":
        return "bfloat16"
    if wanted != "auto":
        raise UsageError(f"'{wanted}' is no precision: choose auto, float32 or bfloat16.")
    if device == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    return "bfloat16" if torch.cpu._is_avx512_bf16_supported() else "float32"


@contextmanager
def threads(count: int) -> Iterator[None]:
    """As many threads as the setting names, since sums depend on it; what the caller had, afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def keep_freed_memory() -> None:
    """Let this process keep what it frees for what it needs next, where the C library is glibc; from now on.

    Every step of a training takes the same few megabytes and frees them. Handed back to the system in between, they
    are fetched anew page by page, hundreds of times a step of the preset quick.
    """
    set_limit = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if set_limit is not None:
        set_limit(_M_TRIM_THRESHOLD, 2**28)
        set_limit(_M_MMAP_THRESHOLD, 2**25)  # the most that glibc accepts; larger ones are handed back at once


@contextmanager
def same_bits(wanted: bool) -> Iterator[None]:
    """Where it is `wanted`, only algorithms that give the same bits every time, on a GPU too; as before, afterwards.

    Raises TrainingError naming what has no such algorithm there.
    """
    if not wanted:
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # before the first product on a GPU
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    except RuntimeError as problem:
        if "deterministic" not in str(problem):
            raise
        told = str(problem).partition(". ")[0]
        raise TrainingError(f"{told}: train without --deterministic, or on the CPU.") from None
    finally:
        torch.use_deterministic_algorithms(before)


def versions() -> dict[str, str]:
    """The versions that a receipt records."""
    return {
        "transferkit": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }


def device_name(device: Device) -> str:
    """What the computing device calls itself, for receipts and reports."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    return processor_name()


PACKAGES = ("transferkit", "data_prep")


def installed_code() -> str:
    """SHA-256 of the source files of the installed library: the same notebook under other code is another task."""
    total = hashlib.sha256()
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            for path in sorted(Path(folder).rglob("*.py")):
                total.update(f"{package}/{path.relative_to(folder)}".encode() + b"\0" + path.read_bytes())
    return total.hexdigest()
