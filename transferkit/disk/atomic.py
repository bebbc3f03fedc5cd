"""Files and folders that appear complete or not at all, even if the process that writes them is killed; and locks."""

import errno
import fcntl
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from transferkit.errors import StoreError

PARTIAL = ".partial-"  # prefix of unfinished files and folders, which readers ignore
REPLACED = ".replaced-"  # prefix of an older folder while the new one takes its place


def write_bytes(path: Path, content: bytes) -> None:
    """Replace the file `path` by `content`: temporary file, fsync, rename, fsync of the folder.

    Raises StoreError when the disk is full or the folder cannot be written; `path` then stays as it was.
    """
    temporary = path.with_name(_own_name(PARTIAL, path))
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
        _sync(path.parent)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder to fill; it becomes `path` at the end of the block, and vanishes after an error in it.

    An older `path` is replaced only once the new one is complete. If the process is killed in between,
    `sweep_partials` puts the older one back. Raises StoreError where `write_bytes` does.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(_own_name(PARTIAL, path))
        try:
            partial.mkdir()
            yield partial
            for item in (*filter(Path.is_file, partial.iterdir()), partial):
                _sync(item)
            _replace(path, partial)
        finally:
            _remove(partial)


def sweep_partials(folder: Path) -> int:
    """Delete what killed writers left directly in `folder`; return the number of files and folders found.

    A folder that was being replaced goes back to its place, if that is still empty. Whatever a living process of this
    machine, or any process of another machine, may still be writing stays.
    """
    partial, replaced = ([item for item in folder.glob(f"{kind}*") if _is_orphan(item)] for kind in (PARTIAL, REPLACED))
    for old in replaced:
        path = old.with_name(old.name.split("~", 3)[-1])
        if path.exists():
            _remove(old)
        else:
            with suppress(OSError):  # another process has just done it, or it cannot be done now: nothing is lost
                old.rename(path)
    for item in partial:
        _remove(item)
    return len(partial) + len(replaced)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an error while `path` is being written, such as a full disk, into a StoreError."""
    try:
        yield
    except OSError as problem:
        full = problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        remedy = "free some space there" if full else "check the folder and its permissions"
        raise StoreError(
            f"{path} could not be written ({problem.strerror or problem}): {remedy}, "
            "or set TRANSFERKIT_WORK to a folder on another disk; nothing was left half-written."
        ) from problem


@contextmanager
def exclusive(path: Path, wait: bool = True) -> Iterator[bool]:
    """Hold the lock on the file `path`; yield whether it is held, which is always true with `wait`.

    The operating system releases it however its holder ends. Where the file system has no locks, this yields True to
    everybody: work may then be done twice. Raises StoreError when the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "a")  # noqa: SIM115 - closed below; a `with` here would catch the caller's own errors
    except OSError as problem:
        raise StoreError(
            f"{path} could not be made ({problem.strerror or problem}): check the folder and its permissions."
        ) from problem
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = True
        except OSError as problem:
            held = not isinstance(problem, BlockingIOError)  # any other comes from a network file system without locks
        yield held


def _replace(path: Path, partial: Path) -> None:
    """Rename `partial` to `path`; delete an older `path` once that is on the disk, and put it back if that fails."""
    old = path.with_name(_own_name(REPLACED, path))
    try:
        if path.exists():
            path.rename(old)
        partial.rename(path)
    except BaseException:
        if old.exists() and not path.exists():
            old.rename(path)
        raise
    _sync(path.parent)
    _remove(old)


def _remove(item: Path) -> None:
    """Delete a file or folder, if it exists and can be deleted."""
    if item.is_dir() and not item.is_symlink():
        shutil.rmtree(item, ignore_errors=True)
    else:
        with suppress(OSError):
            item.unlink()


def _own_name(kind: str, path: Path) -> str:
    return f"{kind}{socket.gethostname()}~{os.getpid()}~{secrets.token_hex(4)}~{path.name}"


def _is_orphan(item: Path) -> bool:
    host, _, rest = item.name.removeprefix(PARTIAL).removeprefix(REPLACED).partition("~")
    pid = rest.partition("~")[0]
    return host == socket.gethostname() and pid.isdigit() and not psutil.pid_exists(int(pid))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
