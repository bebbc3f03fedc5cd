"""kill -9 in the middle of every preparation: it goes on with the next chunk and ends as if nothing had happened."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from data_prep.draft import JOURNAL
from tests.data_prep.conftest import fill, jpeg
from tests.data_prep.trees import archived, cifar100_files, devkit, flat, imagenet_tree, tiny_files, zipped
from transferkit.disk.prepared import read_manifest

DYING = """
import os, signal, sys
from data_prep import draft, packing
from data_prep.__main__ import main

chunks, packing.CHUNK_PICTURES = int(sys.argv.pop(1)), int(sys.argv.pop(1))
add = draft.Appender.add

def add_or_die(self, chunk):
    global chunks
    chunks -= 1
    if chunks < 0:
        self.images.write(chunk.pixels[:100])  # half a chunk
        self.images.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    return add(self, chunk)

draft.Appender.add = add_or_die
sys.exit(main(sys.argv[1:]))
"""


def made(kind: str, root: Path) -> Path:
    """A data set of this kind below `root`; its path."""
    root.mkdir()
    if kind == "cifar100":
        return archived(root / "cifar-100-python.tar.gz", cifar100_files())
    if kind == "tinyimagenet":
        return zipped(root / "tiny-imagenet-200.zip", tiny_files())
    if kind == "imagenet":
        fill(root / "tree" / "ILSVRC2012_devkit_t12" / "data", devkit())
        return imagenet_tree(root / "tree", flat())
    return fill(
        root / "tree", {f"{name}/{row}.jpg": jpeg(100 * i + row) for i, name in enumerate("abcd") for row in range(20)}
    )


@pytest.mark.parametrize(
    ("kind", "chunk"),
    [("cifar100", 50), ("tinyimagenet", 3), pytest.param("imagenet", 300, marks=pytest.mark.long), ("folder", 9)],
)
def test_a_killed_preparation_goes_on_and_ends_the_same(kind: str, chunk: int, tmp_path: Path) -> None:
    path = made(kind, tmp_path / "files")

    def prepare(out: str, chunks: int) -> subprocess.CompletedProcess[str]:
        options = [kind, "--from", str(path), "--size", "12", "--out", str(tmp_path / out)]
        if kind != "cifar100":
            options += ["--workers", "1"]
        command = [sys.executable, "-c", DYING, str(chunks), str(chunk), *options]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    for journaled in (2, 4):  # killed twice
        assert prepare("data", 2).returncode == -signal.SIGKILL
        assert not (tmp_path / "data").exists()
        assert (tmp_path / ".packing-data" / JOURNAL).read_bytes().count(b"\n") == journaled
    ended = prepare("data", 999)
    assert ended.returncode == 0, ended.stderr
    assert prepare("whole", 999).returncode == 0
    found, wanted = (read_manifest(tmp_path / name, verify=True) for name in ("data", "whole"))
    assert found.checksums == wanted.checksums
    total = f"{found.valid[1] - 4 * chunk:,} images in"
    assert total in ended.stderr, "what was packed before is not packed again"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["data", "files", "whole"]
