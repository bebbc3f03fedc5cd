"""Files and folders that appear whole or not at all, whatever kills the process that writes them."""

import errno
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from transferkit.errors import StoreError

PARTIAL = ".partial-"  # prefix of what is not finished; a reader never looks at such names


def write_bytes(path: Path, content: bytes) -> None:
    """Replace the file `path` by `content`: temporary file, fsync, rename, fsync of the folder.

    Raises StoreError when the disk is full or the folder cannot be written; `path` is then as it was.
    """
    temporary = path.with_name(_partial_name(path))
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder to fill; it becomes `path` on leaving, and vanishes when an error leaves it.

    An older `path` is replaced only once the new one is complete. Raises StoreError as `write_bytes`.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(_partial_name(path))
        try:
            partial.mkdir()
            yield partial
            for file in partial.iterdir():
                _sync_file(file)
            old = partial.with_name(f"{partial.name}-old")
            if path.exists():
                path.rename(old)
            partial.rename(path)
            shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        _sync_folder(path.parent)


def sweep_partials(folder: Path) -> int:
    """Delete what killed writers left in `folder` (not below it); return how many things were deleted.

    What a living process of this machine may still be writing, or one of another machine, stays.
    """
    left = [item for item in folder.glob(f"{PARTIAL}*") if _is_orphan(item)] if folder.is_dir() else []
    for item in left:
        if item.is_dir():
            shutil.rmtree(item, ignore_errors=True)
        else:
            item.unlink(missing_ok=True)
    return len(left)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what goes wrong while `path` is being written, such as a full disk, into a StoreError."""
    try:
        yield
    except OSError as problem:
        full = problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        remedy = "free some space there" if full else "check the folder and its permissions"
        raise StoreError(
            f"{path} could not be written ({problem.strerror or problem}): {remedy}, "
            "or set TRANSFERKIT_WORK to a folder on another disk; nothing was left half-written."
        ) from problem


def _partial_name(path: Path) -> str:
    return f"{PARTIAL}{socket.gethostname()}~{os.getpid()}~{secrets.token_hex(4)}~{path.name}"


def _is_orphan(partial: Path) -> bool:
    host, _, rest = partial.name.removeprefix(PARTIAL).partition("~")
    pid = rest.partition("~")[0]
    return host == socket.gethostname() and pid.isdigit() and not psutil.pid_exists(int(pid))


def _sync_file(path: Path) -> None:
    if path.is_file():
        with open(path, "rb") as file:
            os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    if os.name != "posix":  # Windows neither needs nor allows it
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
