"""Packing that is interrupted, killed or out of disk: it goes on, and ends as if nothing had happened."""

import errno
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from data_prep.draft import JOURNAL, Appender, Draft, Entry, open_draft
from data_prep.listing import Fitting
from data_prep.packing import write_listing
from data_prep.rendering import CHANGED, SET_ASIDE
from data_prep.workers import Chunk
from tests.data_prep.conftest import fill, jpeg
from tests.data_prep.flat import FITTING, Flat, content, flat
from transferkit.disk.atomic import PARTIAL
from transferkit.disk.prepared import IMAGES, LABELS, read_manifest
from transferkit.errors import DataError, StoreError

pytestmark = pytest.mark.usefixtures("small_chunks")


def interrupt_after(chunks: int, into: list[int] | None = None) -> Callable[[int, int], None]:
    heard = [] if into is None else into

    def tell(done: int, total: int) -> None:
        heard.append(done)
        if len(heard) > chunks:
            raise KeyboardInterrupt

    return tell


def test_an_interrupted_preparation_goes_on_with_the_next_chunk(tmp_path: Path) -> None:
    listing, heard = flat(50, Flat(broken=(2,))), list[int]()
    with pytest.raises(KeyboardInterrupt):
        write_listing(tmp_path / "out", listing, FITTING, 1, interrupt_after(5))
    assert not (tmp_path / "out").exists()
    write_listing(tmp_path / "out", listing, FITTING, 1, lambda done, total: heard.append(done))
    assert heard[:2] == [35, 42]
    assert heard[-1] == 100
    write_listing(tmp_path / "whole", listing, FITTING, 1)
    assert content(tmp_path / "out") == content(tmp_path / "whole")


@pytest.mark.parametrize("damage", ["journal", "images", "cut", "lost"])
def test_what_a_power_failure_damaged_is_packed_again(damage: str, tmp_path: Path) -> None:
    listing, heard = flat(50), list[int]()
    with pytest.raises(KeyboardInterrupt):
        write_listing(tmp_path / "out", listing, FITTING, 1, interrupt_after(5))
    draft = tmp_path / ".packing-out"
    journal, images = (draft / JOURNAL).read_bytes(), bytearray((draft / IMAGES).read_bytes())
    if damage == "journal":
        (draft / JOURNAL).write_bytes(journal[:-20])
    elif damage == "images":
        images[-5 * 192] ^= 255
        (draft / IMAGES).write_bytes(images)
    elif damage == "cut":
        (draft / IMAGES).write_bytes(images[:-1])
    else:
        (draft / JOURNAL).unlink()
    write_listing(tmp_path / "out", listing, FITTING, 1, lambda done, total: heard.append(done))
    assert heard[0] == (0 if damage == "lost" else 28)
    assert np.load(tmp_path / "out" / IMAGES)[:, 0, 0, 0].tolist() == list(range(100))


def test_a_draft_of_other_pictures_or_another_size_is_not_used(tmp_path: Path) -> None:
    for fitting, listing in ((FITTING, flat(50)), (FITTING, flat(51)), (Fitting(9), flat(51))):
        heard: list[int] = []
        with pytest.raises(KeyboardInterrupt):
            write_listing(tmp_path / "out", listing, fitting, 1, interrupt_after(3, heard))
        assert heard[0] == 0
        assert (tmp_path / ".packing-out" / JOURNAL).read_bytes().count(b"\n") == 3


@pytest.mark.long
def test_a_preparation_killed_at_random_moments_ends_with_the_same_bytes(tmp_path: Path) -> None:
    root = tmp_path / "root"
    fill(
        root,
        {f"{name}/{row}.jpg": jpeg(row + 200 * i, 300, 200) for i, name in enumerate("abcd") for row in range(100)},
    )
    command = [sys.executable, "-c", "import data_prep.packing as p; p.CHUNK_PICTURES = 10; "
               "import sys; from data_prep.__main__ import main; sys.exit(main(sys.argv[1:]))",
               "folder", "--from", str(root), "--size", "16", "--workers", "2", "--out"]  # fmt: skip
    assert subprocess.run([*command, tmp_path / "whole"], capture_output=True, check=False).returncode == 0
    journal, lines = tmp_path / ".packing-killed" / JOURNAL, 0
    for _ in range(3):
        with subprocess.Popen(
            [*command, tmp_path / "killed"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as run:
            while run.poll() is None and not (journal.is_file() and journal.read_bytes().count(b"\n") > lines):
                time.sleep(0.001)
            family = psutil.Process(run.pid).children(recursive=True)
            run.kill()
        assert not psutil.wait_procs(family, timeout=10)[1], "the workers must end with their parent"
        assert not (tmp_path / "killed").exists(), "the kill came too late to mean anything"
        lines = journal.read_bytes().count(b"\n")
    assert 3 <= lines < 40
    assert subprocess.run([*command, tmp_path / "killed"], capture_output=True, check=False).returncode == 0
    written = {name: content(tmp_path / name) for name in ("whole", "killed")}
    for name in (IMAGES, LABELS, SET_ASIDE, CHANGED):
        assert written["killed"][name] == written["whole"][name]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_kill_while_publishing_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("data_prep.draft.atomic.new_folder", killed)
        write_listing(tmp_path / "out", flat(50), FITTING, 1)
    heard: list[int] = []
    write_listing(tmp_path / "out", flat(50), FITTING, 1, lambda done, total: heard.append(done))
    assert heard == [100]
    assert read_manifest(tmp_path / "out", verify=True).valid == (50, 100)


def no_such_call(*_: object, **__: object) -> None:
    raise OSError(errno.EOPNOTSUPP, "Operation not supported")


def test_a_kill_while_publishing_loses_nothing_where_there_are_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def killed_at_last(path: Path, to: Path) -> Path:
        if path.name.startswith(PARTIAL):
            raise KeyboardInterrupt
        return rename(path, to)

    monkeypatch.setattr("os.link", no_such_call)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "rename", killed_at_last)
        write_listing(tmp_path / "out", flat(50), FITTING, 1)
    heard: list[int] = []
    write_listing(tmp_path / "out", flat(50), FITTING, 1, lambda done, total: heard.append(done))
    assert heard == [100]
    assert read_manifest(tmp_path / "out", verify=True).valid == (50, 100)
    assert not (tmp_path / ".packing-out").exists()


def test_a_draft_that_has_lost_its_images_begins_anew(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_listing(tmp_path / "out", flat(50), FITTING, 1, interrupt_after(5))
    (tmp_path / ".packing-out" / IMAGES).unlink()
    heard: list[int] = []
    write_listing(tmp_path / "out", flat(50), FITTING, 1, lambda done, total: heard.append(done))
    assert heard[0] == 0
    assert read_manifest(tmp_path / "out", verify=True).valid == (50, 100)


def test_a_draft_that_was_published_but_not_discarded_is_not_written_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Draft, "discard", lambda _: None)
        write_listing(tmp_path / "out", flat(50), FITTING, 1)
    before = content(tmp_path / "out")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Draft, "publish", killed)
        write_listing(tmp_path / "out", flat(51), FITTING, 1)
    assert content(tmp_path / "out") == before


def test_pictures_are_packed_on_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcntl.flock", no_such_call)
    assert write_listing(tmp_path / "out", flat(50), FITTING, 1).valid == (50, 100)


def test_a_process_that_dies_is_reported_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="killed, perhaps because memory ran out"):
        write_listing(tmp_path / "out", flat(50, Flat(stop=60)), FITTING, 2)


def test_two_processes_do_not_prepare_the_same_folder(tmp_path: Path) -> None:
    with open_draft(tmp_path / "out", 8), pytest.raises(DataError, match="another process"):
        write_listing(tmp_path / "out", flat(50), FITTING, 1)


def test_a_disk_that_is_too_small_is_reported_before_anything_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StoreError, match=r"needs 0\.0 GB more for 100 pictures"):
        write_listing(tmp_path / "out", flat(50), FITTING, 1)


def test_a_full_disk_is_reported_and_packed_chunks_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, pytest.raises(StoreError, match="free some space"):
        patch.setattr("data_prep.draft.Appender.add", full_after(4))
        write_listing(tmp_path / "out", flat(50), FITTING, 1)
    heard: list[int] = []
    write_listing(tmp_path / "out", flat(50), FITTING, 1, lambda done, total: heard.append(done))
    assert heard[0] == 28
    assert np.load(tmp_path / "out" / IMAGES)[:, 0, 0, 0].tolist() == list(range(100))


def full_after(chunks: int) -> Callable[[Appender, Chunk], Entry]:
    left, add = [chunks], Appender.add

    def add_or_fail(self: Appender, chunk: Chunk) -> Entry:
        left[0] -= 1
        if left[0] < 0:
            self.images.write(chunk.pixels[:50])
            raise OSError(errno.ENOSPC, "No space left on device")
        return add(self, chunk)

    return add_or_fail
