"""What a submission may use, and how a process binds itself to it."""

import resource
from dataclasses import dataclass

import psutil

MEGABYTE = 2**20


@dataclass(frozen=True)
class SandboxLimits:
    """What a submission may use: `seconds` per exercise; bytes of memory, of all files, of one file and of an answer.

    `seconds` are those of processor time and of sleep together; waiting for a crowded processor does not count.
    `memory` limits all processes together, and is checked many times a second; a single process can never ask for more
    than twice as much. `processes` counts threads too.
    """

    seconds: float = 20.0
    memory: int = 1024 * MEGABYTE
    processes: int = 16
    disk: int = 64 * MEGABYTE
    file: int = 8 * MEGABYTE
    answer: int = 4 * MEGABYTE

    def apply(self) -> None:
        """Bind this process and everything it starts, for good."""
        address = psutil.Process().memory_info().vms + 2 * self.memory  # most of what is mapped now is libraries
        for kind, limit in (
            (resource.RLIMIT_AS, address),
            (resource.RLIMIT_CPU, int(2 * self.seconds) + 1),
            (resource.RLIMIT_FSIZE, self.file),
            (resource.RLIMIT_NOFILE, 64),
            (resource.RLIMIT_NPROC, self.processes),
            (resource.RLIMIT_CORE, 0),
        ):
            _, hard = resource.getrlimit(kind)
            lower = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(kind, (lower, lower))
