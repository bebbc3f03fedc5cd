import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from transferkit import atomic
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
        "import resource, signal, sys; from pathlib import Path; from transferkit import atomic\n"
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
        "import sys, time; from pathlib import Path; from transferkit import atomic\n"
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
