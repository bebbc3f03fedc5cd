"""Locks for one process at a time, which the operating system releases however their holder ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from transferkit.errors import StoreError


@contextmanager
def exclusive(path: Path, wait: bool = True) -> Iterator[bool]:
    """Hold the lock on the file `path`; yield whether it is held, which is always true with `wait`.

    Where the file system has no locks, this yields True to everybody: work may then be done twice. Raises StoreError
    when the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a")  # noqa: SIM115 - closed below; a `with` here would catch the caller's own errors
    except OSError as problem:
        raise StoreError(
            f"{path} could not be made ({problem.strerror or problem}): check the folder and its permissions."
        ) from problem
    with file:
        yield _hold(file.fileno(), wait)


def _hold(descriptor: int, wait: bool) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a network file system without locks
        return True
    return True
