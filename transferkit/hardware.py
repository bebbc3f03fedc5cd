"""What this machine's processor calls itself, for receipts and reports."""

import platform
from pathlib import Path


def processor_name() -> str:
    """The model of the processor, or at least its architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
