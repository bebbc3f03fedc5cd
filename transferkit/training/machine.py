"""The device, precision, threads and versions that a training runs with."""

import ctypes
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from transferkit import __version__
from transferkit.config import Device, Precision
from transferkit.errors import TrainingError, UsageError
from transferkit.hardware import processor_name

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


def choose_device(wanted: str) -> Device:
    """`cpu` or `cuda`; `auto` takes CUDA where it is available. Raises UsageError for a device that is not there."""
    available = torch.cuda.is_available()
    if wanted not in ("auto", "cpu", "cuda"):
        raise UsageError(f"'{wanted}' is no device: choose auto, cpu or cuda.")
    if wanted == "cuda" and not available:
        raise UsageError("no CUDA device can be used here: choose --device cpu or auto, or mend the driver.")
    return "cuda" if wanted == "cuda" or (wanted == "auto" and available) else "cpu"


def choose_precision(wanted: str, device: Device) -> Precision:
    """`float32` or `bfloat16`; `auto` takes bfloat16 where the hardware multiplies it natively, twice as fast.

    Raises UsageError for another precision.
    """
    if wanted in ("float32", "bfloat16"):
        return wanted  # type: ignore[return-value]
    if wanted != "auto":
        raise UsageError(f"'{wanted}' is no precision: choose auto, float32 or bfloat16.")
    if device == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    return "bfloat16" if torch.cpu._is_avx512_bf16_supported() else "float32"


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with `count` threads, on which the rounding of sums depends; restore the caller's number afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def keep_freed_memory() -> None:
    """Let this process keep the memory it frees, from now on, where the C library is glibc.

    Every step of a training takes the same few megabytes and frees them. If they went back to the system in between,
    they would be fetched page by page again, hundreds of times in a step of the preset quick.
    """
    set_limit = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_limit is not None:
        set_limit(_M_TRIM_THRESHOLD, 2**28)
        set_limit(_M_MMAP_THRESHOLD, 2**25)  # the most that glibc accepts; larger blocks go back at once


@contextmanager
def same_bits(wanted: bool) -> Iterator[None]:
    """If `wanted`, allow only algorithms that give the same bits every time, on a GPU too; restore it afterwards.

    Raises TrainingError naming the operation that has no such algorithm.
    """
    if not wanted:
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it before its first product
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    except RuntimeError as problem:
        if "deterministic" not in str(problem):
            raise
        reason = str(problem).partition(". ")[0]
        raise TrainingError(f"{reason}: train without --deterministic, or on the CPU.") from None
    finally:
        torch.use_deterministic_algorithms(before)


def versions() -> dict[str, str]:
    """The versions that a receipt records."""
    return {
        "transferkit": __version__, "python": platform.python_version(), "torch": str(torch.__version__),
        "numpy": np.__version__,
    }  # fmt: skip


def device_name(device: Device) -> str:
    """The name of the computing device, for receipts and reports."""
    return torch.cuda.get_device_name() if device == "cuda" else processor_name()
