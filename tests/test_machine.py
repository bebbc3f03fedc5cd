import subprocess
import sys

import pytest

FAULTS_OF_20_BUFFERS = """
import resource, sys, torch
from transferkit.machine import keep_freed_memory
torch.set_num_threads(1)
if sys.argv[1] == "kept":
    keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
torch.zeros(2**21)
before = faults()
for _ in range(20):
    torch.zeros(2**21)  # 8 MB, 2,048 pages
print(faults() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_memory_that_is_freed_is_kept_for_the_next_step() -> None:
    kept, usual = (
        int(subprocess.check_output([sys.executable, "-c", FAULTS_OF_20_BUFFERS, how])) for how in ("kept", "usual")
    )
    assert kept < 2048 < usual
