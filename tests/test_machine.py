import os
import subprocess
import sys

import pytest

FAULTS_OF_TEN_STEPS = """
import resource, sys, torch
from transferkit.training.machine import keep_freed_memory
torch.set_num_threads(1)
if sys.argv[1] == "kept":
    keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def step():
    held = [torch.zeros(2**20) for _ in range(8)]  # 32 MB, 8,192 pages; all freed at the end
for _ in range(3):
    step()
before = faults()
for _ in range(10):
    step()
print(faults() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_memory_that_is_freed_is_kept_for_the_next_step() -> None:
    # How much glibc hands back depends on how the heap lies; with this threshold it is everything.
    hasty = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}
    kept, usual = (
        int(subprocess.check_output([sys.executable, "-c", FAULTS_OF_TEN_STEPS, how], env=hasty))
        for how in ("kept", "usual")
    )
    assert kept < 8192 < 10 * 8192 <= usual, (kept, usual)
