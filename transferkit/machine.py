"""What a training runs on and with: the device's name, the versions that a receipt records, the number of threads."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from transferkit import __version__
from transferkit.config import Device
from transferkit.hardware import processor_name


@contextmanager
def threads(count: int) -> Iterator[None]:
    """As many threads as the setting names, since sums depend on it; what the caller had, afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


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
