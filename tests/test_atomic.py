import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from transferkit.disk import atomic
from transferkit.errors import StoreError


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_failing_write_leaves_the_old_file_and_nothing_else(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "receipt.json"
    atomic.write_bytes(path, b"old")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, broken, fail)
    with pytest.raises(StoreError, match=r"No space left on device.*free some space"):
        atomic.write_bytes(path, b"new")
    assert [item.read_bytes() for item in tmp_path.iterdir()] == [b"old"]


def test_a_disk_that_takes_no_more_bytes_is_told_in_one_sentence(tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys; from pathlib import Path; from transferkit.disk import atomic\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "atomic.write_bytes(Path(sys.argv[1]) / 'weights', bytes(5000))"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "StoreError" in ended.stderr
    assert "free some space" in ended.stderr
    assert not list(tmp_path.iterdir())


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "photos"
    with pytest.raises(RuntimeError), atomic.new_folder(target) as folder:
        (folder / "images.npy").write_bytes(b"half")
        raise RuntimeError
    assert not list(tmp_path.iterdir())
    for content in (b"first", b"second"):
        with atomic.new_folder(target) as folder:
            (folder / "images.npy").write_bytes(content)
            assert target.exists() == (content == b"second")
        assert (target / "images.npy").read_bytes() == content
    assert [item.name for item in tmp_path.iterdir()] == ["photos"]


def test_what_a_killed_writer_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from transferkit.disk import atomic\n"
        "with atomic.new_folder(Path(sys.argv[1]) / 'photos') as folder:\n"
        "    (folder / 'images.npy').touch(); print('writing', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        assert atomic.sweep_partials(tmp_path) == 0
        writer.kill()
    assert len(list(tmp_path.iterdir())) == 1
    assert atomic.sweep_partials(tmp_path) == 1
    assert not list(tmp_path.iterdir())


REPLACE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from transferkit.disk import atomic
rename, count = Path.rename, []
def rename_until_killed(path, target):
    count.append(path)
    if len(count) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(path, target)
Path.rename = rename_until_killed
with atomic.new_folder(Path(sys.argv[1]) / "ph~otos") as folder:
    (folder / "images.npy").write_bytes(b"second")
"""


@pytest.mark.parametrize("renames", [1, 2])
def test_whoever_is_killed_while_replacing_a_folder_leaves_the_old_one(renames: int, tmp_path: Path) -> None:
    (tmp_path / "ph~otos").mkdir()
    (tmp_path / "ph~otos" / "images.npy").write_bytes(b"first")
    program = [sys.executable, "-c", REPLACE_AND_DIE, str(tmp_path), str(renames)]
    assert subprocess.run(program, check=False).returncode == -signal.SIGKILL
    assert atomic.sweep_partials(tmp_path) == renames
    assert [item.name for item in tmp_path.iterdir()] == ["ph~otos"]
    assert (tmp_path / "ph~otos" / "images.npy").read_bytes() == b"first"


def test_an_old_folder_whose_place_is_taken_is_swept_and_one_that_cannot_be_put_back_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / f"{atomic.REPLACED}{socket.gethostname()}~{2**30}~0~photos"
    old.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", denied)
        atomic.sweep_partials(tmp_path)
    assert old.exists()
    (tmp_path / "photos").mkdir()
    atomic.sweep_partials(tmp_path)
    assert [item.name for item in tmp_path.iterdir()] == ["photos"]


def test_a_folder_that_cannot_be_replaced_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, rename = tmp_path / "photos", Path.rename
    with atomic.new_folder(target) as folder:
        (folder / "images.npy").write_bytes(b"first")

    def deny_the_new(path: Path, to: Path) -> Path:
        return denied() if path.name.startswith(atomic.PARTIAL) else rename(path, to)

    monkeypatch.setattr(Path, "rename", deny_the_new)
    with pytest.raises(StoreError, match="Permission denied"), atomic.new_folder(target) as folder:
        (folder / "images.npy").write_bytes(b"second")
    assert [item.name for item in tmp_path.iterdir()] == ["photos"]
    assert (target / "images.npy").read_bytes() == b"first"


def test_a_new_folder_is_on_the_disk_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int | str] = []
    fsync, rename = os.fsync, Path.rename

    def note_sync(descriptor: int) -> None:
        done.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def note_rename(path: Path, to: Path) -> Path:
        done.append("rename")
        return rename(path, to)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "rename", note_rename)
    with atomic.new_folder(tmp_path / "photos") as folder:
        (folder / "images.npy").touch()
    synced = [path.stat().st_ino for path in (tmp_path / "photos" / "images.npy", tmp_path / "photos", tmp_path)]
    assert done == [*synced[:2], "rename", synced[2]]


def denied(*_: object) -> Path:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
