"""Downloads from a local server that breaks off, ignores ranges, or sends something else."""

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from data_prep.download import Published, fetch
from transferkit.errors import DataError

CONTENT = os.urandom(300_000)
NO_PAUSES = (0.0, 0.0)


@dataclass
class Site:
    """What the server does, and what it was asked for."""

    content: bytes = CONTENT
    resumes: bool = True
    most: int = 10**9  # bytes of one answer before the connection breaks
    asked: list[str | None] = field(default_factory=list)
    port: int = 0

    def published(self, content: bytes = CONTENT) -> Published:
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return Published(f"http://127.0.0.1:{self.port}/a.zip", "a.zip", len(content), digest)


@pytest.fixture
def site() -> Iterator[Site]:
    """A server of one file on this machine."""
    state = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append(wanted)
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and state.resumes else 0
            rest = state.content[start:]
            if start and not rest:
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            self.wfile.write(rest[: state.most])

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def listener() -> tuple[list[int], Callable[[int, int], None]]:
    heard: list[int] = []
    return heard, lambda done, total: heard.append(done)


def test_a_whole_download_is_verified_and_not_repeated(site: Site, tmp_path: Path) -> None:
    heard, tell = listener()
    for _ in range(2):
        path = fetch(site.published(), tmp_path / "new", tell)
        assert path.read_bytes() == CONTENT
    assert site.asked == [None]
    assert heard[0] == 0
    assert heard[-1] == len(CONTENT)
    assert [one.name for one in (tmp_path / "new").iterdir()] == ["a.zip"]


def test_a_broken_connection_is_resumed_where_it_broke(site: Site, tmp_path: Path) -> None:
    site.most = 100_000
    assert fetch(site.published(), tmp_path, pauses=NO_PAUSES).read_bytes() == CONTENT
    assert site.asked == [None, "bytes=100000-", "bytes=200000-"]


def test_what_a_killed_download_left_is_used(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").write_bytes(CONTENT[:250_000])
    assert fetch(site.published(), tmp_path).read_bytes() == CONTENT
    assert site.asked == ["bytes=250000-"]


def test_a_server_that_cannot_resume_is_asked_for_everything(site: Site, tmp_path: Path) -> None:
    site.resumes = False
    (tmp_path / "a.zip.part").write_bytes(b"x" * 1000)
    assert fetch(site.published(), tmp_path).read_bytes() == CONTENT


def test_a_file_that_differs_from_the_published_one_is_refused_and_removed(site: Site, tmp_path: Path) -> None:
    site.content = bytes(len(CONTENT))
    with pytest.raises(DataError, match="another file than the one that was published"):
        fetch(site.published(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_leftover_of_another_file_is_removed(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").write_bytes(b"x" * 1000)
    with pytest.raises(DataError, match="another file"):
        fetch(site.published(), tmp_path)
    assert fetch(site.published(), tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("left", [0, 299_000])
def test_a_server_with_a_shorter_file_is_given_up(left: int, site: Site, tmp_path: Path) -> None:
    site.content = CONTENT[:200_000]
    (tmp_path / "a.zip.part").write_bytes(CONTENT[:left])
    with pytest.raises(DataError, match="--from"):
        fetch(site.published(), tmp_path, pauses=NO_PAUSES)
    assert len(site.asked) < 10


def test_a_server_that_is_not_there_is_named(site: Site, tmp_path: Path) -> None:
    gone = Published("http://127.0.0.1:9/a.zip", "a.zip", 5, "0")
    with pytest.raises(DataError, match=r"127\.0\.0\.1:9/a\.zip cannot be fetched .* goes on from what is there"):
        fetch(gone, tmp_path, pauses=NO_PAUSES)
