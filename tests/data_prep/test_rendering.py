"""Prepared folders appear whole or not at all, and hold what their manifest says."""

import errno
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_prep import ensure
from data_prep.catalogue import prepare
from data_prep.pictures import Images
from data_prep.rendering import Arguments, Rendered, write
from transferkit.disk.atomic import PARTIAL
from transferkit.disk.prepared import CONTACT_SHEET, IMAGES, LABELS, MANIFEST, ClassInfo, Part, read_manifest
from transferkit.errors import DataError, StoreError, UsageError
from transferkit.randomness import generator_from

CLASSES = (ClassInfo("saw", False), ClassInfo("oak", True), ClassInfo("elm", True))
SMALL = Arguments(seed=0, train=4, valid=2)


def noise(label: int, part: Part, count: int) -> Images:
    return generator_from(label, part).integers(0, 256, (count, 3, 48, 48), dtype=np.uint8)


def full_disk(label: int, part: Part, count: int) -> Images:
    raise OSError(errno.ENOSPC, "No space left on device")


def rendered(draw: object = noise) -> Rendered:
    return Rendered("noise", CLASSES, "random numbers", "other random numbers", draw)  # type: ignore[arg-type]


def test_arrays_have_training_images_first_and_match_their_checksums(tmp_path: Path) -> None:
    manifest = write(tmp_path / "noise", rendered(), SMALL)
    images, labels = np.load(tmp_path / "noise" / IMAGES, mmap_mode="r"), np.load(tmp_path / "noise" / LABELS)
    assert (images.shape, images.dtype, labels.dtype) == ((18, 3, 48, 48), np.uint8, np.int64)
    assert (manifest.train, manifest.valid) == ((0, 12), (12, 18))
    assert labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [0, 0, 1, 1, 2, 2]
    assert np.array_equal(images[4:8], noise(1, "train", 4))
    assert np.array_equal(images[16:], noise(2, "valid", 2))
    assert read_manifest(tmp_path / "noise", verify=True) == manifest
    assert manifest.arguments == {"seed": 0, "train": 4, "valid": 2}


def test_the_contact_sheet_describes_itself(tmp_path: Path) -> None:
    write(tmp_path / "noise", rendered(), SMALL)
    with Image.open(tmp_path / "noise" / CONTACT_SHEET) as sheet:
        about = sheet.info["Description"]
        assert 1400 <= sheet.width <= 1800
    assert "Man-made: saw. Natural: oak, elm." in about


def test_a_full_disk_is_reported_in_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="free some space"):
        write(tmp_path / "noise", rendered(full_disk), SMALL)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_older_data_set_as_it_was(tmp_path: Path) -> None:
    before = write(tmp_path / "noise", rendered(), SMALL)
    with pytest.raises(StoreError):
        write(tmp_path / "noise", rendered(full_disk), Arguments(seed=1, train=2, valid=2))
    assert read_manifest(tmp_path / "noise") == before


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    dying = (
        "import os, signal, sys; from pathlib import Path; from transferkit.disk import atomic\n"
        "with atomic.new_folder(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", dying, tmp_path / "noise"], check=False)
    assert [path.name.startswith(PARTIAL) for path in tmp_path.iterdir()] == [True]
    prepare("shapeworld", tmp_path / "noise", Arguments(train=1, valid=1))
    assert [path.name for path in tmp_path.iterdir()] == ["noise"]


def test_progress_is_reported_up_to_the_end(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    write(tmp_path / "noise", rendered(), SMALL, lambda done, total: heard.append((done, total)))
    assert heard == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"train": 0}, {"valid": 0}])
def test_counts_below_one_and_negative_seeds_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="at least 1 image"):
        Arguments(**wrong)


def test_ensure_takes_a_prepared_folder_as_it_is(tmp_path: Path) -> None:
    write(tmp_path / "data" / "photos", rendered(), SMALL)
    before = (tmp_path / "data" / "photos" / MANIFEST).stat().st_mtime_ns
    assert ensure("photos", tmp_path) == tmp_path / "data" / "photos"
    assert (tmp_path / "data" / "photos" / MANIFEST).stat().st_mtime_ns == before


def test_ensure_draws_the_contact_sheet_of_a_folder_that_has_none(tmp_path: Path) -> None:
    write(tmp_path / "data" / "photos", rendered(), SMALL)
    sheet = tmp_path / "data" / "photos" / CONTACT_SHEET
    drawn = sheet.read_bytes()
    sheet.unlink()
    (sheet.parent / f"{PARTIAL}{socket.gethostname()}~{2**30}~0~{CONTACT_SHEET}").write_bytes(b"half")
    ensure("photos", tmp_path)
    assert sheet.read_bytes() == drawn
    assert sorted(path.name for path in sheet.parent.iterdir()) == [CONTACT_SHEET, IMAGES, LABELS, MANIFEST]


def test_ensure_warns_of_a_missing_contact_sheet_in_a_folder_that_it_cannot_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    write(tmp_path / "data" / "photos", rendered(), SMALL)
    (tmp_path / "data" / "photos" / CONTACT_SHEET).unlink()
    monkeypatch.setattr("os.replace", denied)
    assert ensure("photos", tmp_path) == tmp_path / "data" / "photos"
    assert "photos has no contact sheet" in caplog.text
    assert sorted(path.name for path in (tmp_path / "data" / "photos").iterdir()) == [IMAGES, LABELS, MANIFEST]


def test_ensure_finds_a_folder_by_its_path_as_the_command_line_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "here" / "pics", rendered(), SMALL)
    monkeypatch.chdir(tmp_path / "here")
    for name in ("./pics", "../here/pics", str(tmp_path / "here" / "pics")):
        assert ensure(name, tmp_path / "work").resolve() == tmp_path / "here" / "pics"
        assert ensure(name, tmp_path / "work").is_absolute()
    with pytest.raises(UsageError, match="'pics' is not a data set"):  # a name is one of the work folder
        ensure("pics", tmp_path / "work")


def test_ensure_names_the_known_data_sets(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="choose photos, views, shapeworld"):
        ensure("fotos", tmp_path)


def test_ensure_downloads_nothing_unasked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="python -m data_prep cifar100"):
        ensure("cifar100", tmp_path)


def test_ensure_deletes_nothing_but_a_data_set(tmp_path: Path) -> None:
    (tmp_path / "data" / "photos").mkdir(parents=True)
    (tmp_path / "data" / "photos" / "holiday.txt").write_text("precious")
    with pytest.raises(DataError, match="holds no prepared data set"):
        ensure("photos", tmp_path)
    assert (tmp_path / "data" / "photos" / "holiday.txt").is_file()


def test_two_notebooks_that_want_it_at_once_render_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def count(name: str, folder: Path, arguments: Arguments) -> None:
        calls.append(name)
        write(folder, rendered(), SMALL)

    monkeypatch.setattr("data_prep.catalogue.prepare", count)
    with ThreadPoolExecutor(2) as notebooks:
        list(notebooks.map(lambda _: ensure("photos", tmp_path), range(2)))
    assert calls == ["photos"]
