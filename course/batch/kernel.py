"""How a notebook's kernel is reached."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager

SOCKET_LENGTH = 100  # bytes of a socket's path that every system allows


class PrivateKernel(AsyncKernelManager):
    """A kernel that is reached through files that are its user's alone.

    Jupyter chooses free TCP ports, which another program may take before the kernel does: it then dies while it starts,
    the more often the more notebooks start at once (papermill's issue 511).
    """

    def __init__(self, **options: Any) -> None:
        self._folder = tempfile.mkdtemp(prefix="kernel-")
        place = Path(self._folder, "k.json")
        super().__init__(connection_file=str(place), transport=_transport(place), **options)

    def cleanup_ipc_files(self) -> None:
        """Delete them, and their folder unless the kernel is to be started again."""
        super().cleanup_ipc_files()
        with suppress(OSError):
            os.rmdir(self._folder)


def _transport(place: Path) -> str:
    return "ipc" if os.name == "posix" and len(os.fsencode(place)) < SOCKET_LENGTH else "tcp"
