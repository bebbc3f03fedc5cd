"""What a stranger's code may use."""

import resource
from dataclasses import dataclass

import psutil

MEGABYTE = 2**20


@dataclass(frozen=True)
class Limits:
    """`seconds` per exercise; bytes of memory, of files in the sandbox and of an answer; processes and threads at once.

    `memory` is what all processes of a submission may hold together, which is looked at many times a second; twice as
    much is what a single one can ever ask for.
    """

    seconds: float = 20.0
    memory: int = 1024 * MEGABYTE
    processes: int = 16
    disk: int = 64 * MEGABYTE
    file: int = 8 * MEGABYTE
    answer: int = 4 * MEGABYTE

    def apply(self) -> None:
        """Bind this process and all that it starts, for good."""
        address = psutil.Process().memory_info().vms + 2 * self.memory  # what is mapped already is mostly libraries
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
