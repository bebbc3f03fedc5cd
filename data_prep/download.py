"""Fetch a published archive: resume where the download broke off, and verify the checksum before use."""

import hashlib
import http.client
import io
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from data_prep.progress import Tell, silent
from transferkit.disk import atomic
from transferkit.errors import DataError

PIECE_BYTES = 2**20  # bytes
UNREACHABLE = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError)
PAUSES = (0.0, 1.0, 3.0, 10.0)  # seconds before a new attempt when the last one made no progress


@dataclass(frozen=True)
class Published:
    """An archive as its authors published it, with its size in bytes and the MD5 checksum that they gave."""

    url: str
    name: str
    size: int
    md5: str

    def is_at(self, path: Path) -> bool:
        """Whether the file at `path` is exactly this archive."""
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() == self.md5


def fetch(published: Published, folder: Path, tell: Tell = silent, pauses: tuple[float, ...] = PAUSES) -> Path:
    """The archive in `folder`, downloaded if it is not there yet; `tell` is called with the bytes.

    A download that breaks off, or is killed, leaves a file ".part" from which the next call goes on. Raises DataError
    when the server cannot be reached or sends something else, StoreError when the disk is full or not writable.
    """
    path = folder / published.name
    if published.is_at(path):
        return path
    part = path.with_name(f"{path.name}.part")
    with atomic.writing(path):
        folder.mkdir(parents=True, exist_ok=True)
        _complete(published, part, tell, pauses)
        if not published.is_at(part):
            part.unlink()
            raise DataError(
                f"{published.url} sent another file than the one that was published (its MD5 is not {published.md5}): "
                "try again later, or fetch it elsewhere and name it after --from."
            )
        part.replace(path)
    return path


def _complete(published: Published, part: Path, tell: Tell, pauses: tuple[float, ...]) -> None:
    failures, best = 0, 0
    problem: Exception | None
    while (there := _size(part)) < published.size:
        best, problem = max(best, there), None
        try:
            _continue(published, part, there, tell)
        except UNREACHABLE as heard:
            problem = heard
            if isinstance(heard, urllib.error.HTTPError):
                heard.close()
                if heard.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    part.unlink()  # it is part of a different file
        failures = 0 if _size(part) > best else failures + 1
        if failures > len(pauses):
            raise DataError(
                f"{published.url} cannot be fetched ({problem or 'the connection ends early'}): the same command "
                "goes on from what is there; or fetch it by other means and name it after --from."
            )
        time.sleep(pauses[failures - 1] if failures else 0)


def _continue(published: Published, part: Path, start: int, tell: Tell) -> None:
    request = urllib.request.Request(published.url, headers={"Range": f"bytes={start}-"} if start else {})
    with urllib.request.urlopen(request, timeout=60) as answer:
        if start and answer.status != http.HTTPStatus.PARTIAL_CONTENT:  # the server cannot resume: start again
            start = 0
        with _positioned(part, start) as file:
            tell(start, published.size)
            while start < published.size and (piece := answer.read(min(PIECE_BYTES, published.size - start))):
                file.write(piece)
                start += len(piece)
                tell(start, published.size)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@contextmanager
def _positioned(part: Path, start: int) -> Iterator[io.BufferedRandom]:
    with part.open("r+b" if part.exists() else "w+b") as file:
        file.truncate(start)
        file.seek(start)
        yield file
