"""Each notebook gets a GPU of its own. A slot is a lock file, so that two batches on one machine share the GPUs."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from transferkit.disk.atomic import exclusive

WAIT_SECONDS = 0.5
QUERY = ("nvidia-smi", "--query-gpu=uuid,name", "--format=csv,noheader")


def gpus(environment: Mapping[str, str]) -> dict[str, str]:
    """The GPUs that a process with this environment may use: names by identifier in CUDA_VISIBLE_DEVICES."""
    try:
        answer = subprocess.run(QUERY, capture_output=True, text=True, timeout=60, check=True, env=dict(environment))
    except (OSError, subprocess.SubprocessError):
        return {}
    lines = [line.partition(", ") for line in answer.stdout.splitlines() if line.strip()]
    present = {uuid.strip(): name.strip() for uuid, _, name in lines}
    chosen = environment.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return present
    by_number = {str(number): name for number, name in enumerate(present.values())}
    wanted = [one.strip() for one in chosen.split(",") if one.strip()]
    return {one: (present | by_number).get(one, "GPU") for one in wanted if one != "-1"}


@contextmanager
def gpu_slot(devices: Sequence[str], per_gpu: int, folder: Path | None = None) -> Iterator[str]:
    """Wait for a GPU that runs fewer than `per_gpu` notebooks; yield its identifier, one of `devices`."""
    folder = folder or Path(tempfile.gettempdir()) / f"transferkit-gpus-{os.getuid()}"
    places = [(device, folder / f"{device.replace('/', '_')}-{k}") for k in range(per_gpu) for device in devices]
    while True:
        for device, path in places:
            with ExitStack() as stack:
                if stack.enter_context(exclusive(path, wait=False)):
                    yield device
                    return
        time.sleep(WAIT_SECONDS)
