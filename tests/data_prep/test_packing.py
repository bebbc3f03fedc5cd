"""Packing: resumable after a kill, the same bytes for any number of processes, bad pictures set aside with reasons."""

import csv
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from data_prep import packing
from data_prep.draft import JOURNAL, Appender, Entry, open_draft
from data_prep.folder import list_folder
from data_prep.listing import Fitting, Item, Listing
from data_prep.packing import write_listing
from data_prep.pictures import Picture, PictureError
from data_prep.prepared import CHANGED, SET_ASIDE
from data_prep.workers import Chunk
from tests.data_prep.conftest import fill, jpeg, saved
from transferkit.errors import DataError, StoreError, UsageError
from transferkit.manifest import CONTACT_SHEET, IMAGES, LABELS, MANIFEST, ClassInfo, read_manifest

FITTING = Fitting(8)


@dataclass(frozen=True)
class Flat:
    """Pictures of one colour each; `broken` ones are bad, and `stop` ends the process."""

    side: int = 8
    broken: tuple[int, ...] = ()
    stop: int = -1

    def picture(self, place: str) -> Picture:
        if int(place) in self.broken:
            raise PictureError("broken")
        if int(place) == self.stop:
            os.kill(os.getpid(), signal.SIGKILL)
        return Picture(Image.new("RGB", (self.side, self.side), (int(place) % 256, 0, 0)))


def flat(count: int, pictures: Flat = Flat()) -> Listing:
    """So many training pictures of two classes and as many for validation."""
    classes = ClassInfo("even", True), ClassInfo("odd", False)
    train, valid = ([Item(str(row), row % 2) for row in range(first, first + count)] for first in (0, count))
    return Listing("flat", classes, tuple(train), tuple(valid), pictures, "drawn", "more")


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "CHUNK_PICTURES", 7)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def rows(path: Path) -> list[tuple[str, str]]:
    with path.open(newline="") as file:
        return [(first, second) for first, second in csv.reader(file)]


def test_any_number_of_processes_writes_the_same_bytes(tree: Path, tmp_path: Path) -> None:
    listing = list_folder(tree, "mine")
    written = []
    for workers in (1, 3):
        write_listing(tmp_path / f"out{workers}", listing, FITTING, workers)
        written.append(content(tmp_path / f"out{workers}"))
    assert written[0] == written[1]
    assert set(written[0]) == {IMAGES, LABELS, MANIFEST, CONTACT_SHEET, SET_ASIDE, CHANGED}
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_the_manifest_tells_what_was_done(tree: Path, tmp_path: Path) -> None:
    listing = list_folder(tree, "mine")
    manifest = write_listing(tmp_path / "mine", listing, Fitting(8, "squash"), 1)
    assert read_manifest(tmp_path / "mine", verify=True) == manifest
    assert manifest.arguments == {"size": 8, "shape": "squash", "listing": listing.fingerprint(), "valid_share": 0.2}
    assert manifest.name == "mine"


def test_bad_pictures_are_set_aside_and_the_rest_keep_their_labels(tmp_path: Path) -> None:
    listing = flat(300, Flat(broken=(5, 6, 7, 299, 450)))
    manifest = write_listing(tmp_path / "out", listing, FITTING, 1)
    assert rows(tmp_path / "out" / SET_ASIDE) == [
        ("path", "reason"),
        *((str(row), "broken") for row in (5, 6, 7, 299, 450)),
    ]
    kept = [row for row in range(600) if row not in (5, 6, 7, 299, 450)]
    images, labels = np.load(tmp_path / "out" / IMAGES), np.load(tmp_path / "out" / LABELS)
    assert images[:, 0, 0, 0].tolist() == [row % 256 for row in kept]
    assert labels.tolist() == [row % 2 for row in kept]
    assert (manifest.train, manifest.valid) == ((0, 296), (296, 595))
    assert "Set aside: 5 pictures" in manifest.source


def test_more_than_one_percent_of_bad_pictures_stops_it(tmp_path: Path) -> None:
    write_listing(tmp_path / "just", flat(100, Flat(broken=(3, 9))), FITTING, 1)  # 2 of 200
    with pytest.raises(DataError, match=r"3 pictures cannot be used, more than 1% of all 200 .*out\.set_aside\.csv"):
        write_listing(tmp_path / "out", flat(100, Flat(broken=(3, 9, 150))), FITTING, 1)
    assert [row[0] for row in rows(tmp_path / "out.set_aside.csv")] == ["path", "3", "9", "150"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["just", "out.set_aside.csv"]


def test_pictures_of_every_fault_come_with_path_and_reason(tmp_path: Path) -> None:
    files = {f"{name}/{row:03}.jpg": jpeg(row + 500 * i) for i, name in enumerate(("a", "b")) for row in range(250)}
    bad = {"a/empty.jpg": b"", "a/cut.jpg": jpeg(width=300, height=300)[:-400], "b/text.png": b"hello"}
    grey, clear = Image.new("L", (9, 9), 7), Image.new("RGBA", (9, 9), (1, 2, 3, 4))
    odd = {
        "a/grey.png": saved(grey, "PNG"),
        "b/clear.png": saved(clear, "PNG"),
        "b/cmyk.jpg": saved(grey.convert("CMYK"), "JPEG"),
    }
    root = fill(tmp_path / "root", files | bad | odd | {"b/notes.txt": b"x"})
    os.mkfifo(root / "a" / "pipe.jpg")
    write_listing(tmp_path / "out", list_folder(root, "out"), FITTING, 1)
    reasons = dict(rows(tmp_path / "out" / SET_ASIDE)[1:])
    assert set(reasons) == {*bad, "a/pipe.jpg", "b/notes.txt"}
    assert "empty" in reasons["a/empty.jpg"]
    assert "truncated" in reasons["a/cut.jpg"]
    assert "no regular file" in reasons["a/pipe.jpg"]
    assert dict(rows(tmp_path / "out" / CHANGED)[1:]) == {
        "a/grey.png": "grey to RGB", "b/clear.png": "laid on white", "b/cmyk.jpg": "CMYK to RGB",
    }  # fmt: skip


def test_names_of_any_bytes_can_be_listed(tmp_path: Path) -> None:
    root = fill(tmp_path / "root", {f"{name}/{row}.jpg": jpeg(row) for name in ("a", "b") for row in range(200)})
    (root / "a" / "o\udcff.jpg").write_bytes(b"bad")
    write_listing(tmp_path / "out", list_folder(root, "out"), FITTING, 1)
    assert rows(tmp_path / "out" / SET_ASIDE)[1][0] == "a/o\\udcff.jpg"


def test_a_class_that_loses_all_its_pictures_is_named(tmp_path: Path) -> None:
    listing = flat(200)
    few = Listing("few", (*listing.classes, ClassInfo("rare", True)), (*listing.train, Item("900", 2)),
                  (*listing.valid, Item("901", 2)), Flat(broken=(901,)), "", "")  # fmt: skip
    with pytest.raises(DataError, match="no validation pictures of rare"):
        write_listing(tmp_path / "out", few, FITTING, 1)
    assert not (tmp_path / "out").exists()


def interrupt_after(chunks: int, told: list[int] | None = None) -> Callable[[int, int], None]:
    heard = told if told is not None else []

    def tell(done: int, total: int) -> None:
        heard.append(done)
        if len(heard) > chunks:
            raise KeyboardInterrupt

    return tell


def test_an_interrupted_preparation_goes_on_with_the_next_chunk(tmp_path: Path) -> None:
    listing, told = flat(50, Flat(broken=(2,))), list[int]()
    with pytest.raises(KeyboardInterrupt):
        write_listing(tmp_path / "out", listing, FITTING, 1, interrupt_after(5))
    assert not (tmp_path / "out").exists()
    write_listing(tmp_path / "out", listing, FITTING, 1, lambda done, total: told.append(done))
    assert told[:2] == [35, 42]
    assert told[-1] == 100
    write_listing(tmp_path / "whole", listing, FITTING, 1)
    assert content(tmp_path / "out") == content(tmp_path / "whole")


@pytest.mark.parametrize("damage", ["journal", "images", "cut", "lost"])
def test_what_a_power_failure_damaged_is_packed_again(damage: str, tmp_path: Path) -> None:
    listing, told = flat(50), list[int]()
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
    write_listing(tmp_path / "out", listing, FITTING, 1, lambda done, total: told.append(done))
    assert told[0] == (0 if damage == "lost" else 28)
    assert np.load(tmp_path / "out" / IMAGES)[:, 0, 0, 0].tolist() == list(range(100))


def test_a_draft_of_other_pictures_or_another_size_is_not_used(tmp_path: Path) -> None:
    for fitting, listing in ((FITTING, flat(50)), (FITTING, flat(51)), (Fitting(9), flat(51))):
        told: list[int] = []
        with pytest.raises(KeyboardInterrupt):
            write_listing(tmp_path / "out", listing, fitting, 1, interrupt_after(3, told))
        assert told[0] == 0
        assert (tmp_path / ".packing-out" / JOURNAL).read_bytes().count(b"\n") == 3


@pytest.mark.long
def test_a_preparation_killed_at_random_moments_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    root = tmp_path / "root"
    fill(root, {f"{name}/{row}.jpg": jpeg(row + 99 * i, 300, 200) for i, name in enumerate("ab") for row in range(200)})
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


def test_a_kill_while_publishing_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("data_prep.draft.atomic.new_folder", killed)
        write_listing(tmp_path / "out", flat(50), FITTING, 1)
    told: list[int] = []
    write_listing(tmp_path / "out", flat(50), FITTING, 1, lambda done, total: told.append(done))
    assert told == [100]
    assert read_manifest(tmp_path / "out", verify=True).valid == (50, 100)


def test_a_process_that_dies_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="killed, perhaps because memory ran out"):
        write_listing(tmp_path / "out", flat(50, Flat(stop=60)), FITTING, 2)


def test_two_processes_do_not_prepare_the_same_folder(tmp_path: Path) -> None:
    with open_draft(tmp_path / "out", 8), pytest.raises(DataError, match="another process"):
        write_listing(tmp_path / "out", flat(50), FITTING, 1)


def test_a_disk_that_is_too_small_is_told_before_anything_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StoreError, match=r"needs 0\.0 GB more for 100 pictures"):
        write_listing(tmp_path / "out", flat(50), FITTING, 1)


def test_a_disk_that_fills_up_is_told_and_what_is_packed_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(StoreError, match="free some space"):
        patch.setattr("data_prep.draft.Appender.add", full_after(4))
        write_listing(tmp_path / "out", flat(50), FITTING, 1)
    told: list[int] = []
    write_listing(tmp_path / "out", flat(50), FITTING, 1, lambda done, total: told.append(done))
    assert told[0] == 28
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


def test_no_workers_and_wild_sizes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        write_listing(tmp_path / "out", flat(50), FITTING, 0)
    for size in (0, 7, 513):
        with pytest.raises(UsageError, match="8 to 512"):
            Fitting(size)


def test_memory_does_not_grow_with_the_data(tmp_path: Path) -> None:
    peaks = []
    for count in (30, 300):
        tracemalloc.start()
        write_listing(tmp_path / str(count), flat(count, Flat(side=128)), Fitting(128), 1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    size = (tmp_path / "300" / IMAGES).stat().st_size
    assert size > 28e6
    assert peaks[1] < peaks[0] + 2e6
