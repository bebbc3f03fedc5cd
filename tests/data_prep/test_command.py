"""`python -m data_prep`: what it says and the exit codes it ends with."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from data_prep import cifar100
from data_prep.__main__ import main
from data_prep.download import Published
from data_prep.rendering import SET_ASIDE
from tests.data_prep.conftest import fill, jpeg
from transferkit.disk.prepared import CONTACT_SHEET, IMAGES, MANIFEST, read_manifest
from transferkit.errors import DataError
from transferkit.training.data import open_prepared

Prepare = Callable[..., int]


@pytest.fixture
def prepare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prepare:
    """Run the command line with these words in a work folder of its own; the exit code."""
    monkeypatch.setenv("TRANSFERKIT_WORK", str(tmp_path))

    def call(*words: str) -> int:
        try:
            return main(words)
        except SystemExit as ended:  # argparse refuses words before anything runs
            return int(ended.code or 0)

    return call


@pytest.fixture
def small(prepare: Prepare, tmp_path: Path) -> Path:
    """A shapeworld of two images a class."""
    assert prepare("shapeworld", "--train", "1", "--valid", "1") == 0
    return tmp_path / "data" / "shapeworld"


@pytest.mark.parametrize("name", ["photos", "shapeworld"])
def test_a_data_set_is_prepared_and_described(
    name: str, prepare: Prepare, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "here").mkdir()  # an empty folder is no obstacle
    assert prepare(name, "--train", "2", "--valid", "1", "--out", str(tmp_path / "here")) == 0
    manifest = read_manifest(tmp_path / "here")
    said = capsys.readouterr().out
    assert (manifest.name, manifest.train, manifest.valid) == (name, (0, 160), (160, 240))
    for words in (str(tmp_path / "here"), "80 (40 man-made, 40 natural)", manifest.validation, "contact.png"):
        assert words in said


def test_a_rerun_does_nothing(small: Path, prepare: Prepare, capsys: pytest.CaptureFixture[str]) -> None:
    before = (small / IMAGES).stat().st_mtime_ns
    assert prepare("shapeworld", "--train", "1", "--valid", "1") == 0
    assert "already prepared" in capsys.readouterr().out
    assert (small / IMAGES).stat().st_mtime_ns == before


def test_other_arguments_are_refused_without_force(
    small: Path, prepare: Prepare, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare("shapeworld", "--train", "2", "--valid", "1") == 1
    assert "not shapeworld with seed 0, train 2, valid 1: add --force" in capsys.readouterr().err
    assert prepare("shapeworld", "--train", "2", "--valid", "1", "--force") == 0
    assert read_manifest(small).arguments["train"] == 2


def test_damaged_files_are_refused_with_the_remedy(
    small: Path, prepare: Prepare, capsys: pytest.CaptureFixture[str]
) -> None:
    with (small / IMAGES).open("r+b") as file:
        file.truncate(1000)
    assert prepare("shapeworld", "--train", "1", "--valid", "1") == 1
    said = capsys.readouterr().err
    assert "cut short" in said
    assert "--force" in said
    assert "Traceback" not in said


def test_a_file_in_the_way_is_refused(prepare: Prepare, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("precious")
    assert prepare("shapeworld", "--out", str(tmp_path / "file")) == 1
    assert "is a file" in capsys.readouterr().err


def test_force_deletes_no_other_file(small: Path, prepare: Prepare, capsys: pytest.CaptureFixture[str]) -> None:
    (small / "thesis.txt").write_text("precious")
    assert prepare("shapeworld", "--force") == 1
    assert "thesis.txt" in capsys.readouterr().err
    assert (small / MANIFEST).is_file()


@pytest.mark.parametrize(
    "words", [("fotos",), ("photos", "--seed", "-1"), ("photos", "--colour"), ("photos", "--train", "x")]
)
def test_wrong_usage_ends_with_2(words: tuple[str, ...], prepare: Prepare) -> None:
    assert prepare(*words) == 2


def test_an_unknown_name_lists_the_known_ones(prepare: Prepare, capsys: pytest.CaptureFixture[str]) -> None:
    assert prepare("fotos") == 2
    heard = capsys.readouterr().err
    assert all(word in heard for word in ("'fotos'", "photos", "shapeworld"))


def test_a_folder_is_prepared_under_its_own_name_and_described(
    tree: Path, prepare: Prepare, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "natural.txt").write_text("oak\n")
    words = ("folder", "--from", str(tree), "--size", "8", "--workers", "1", "--natural", str(tmp_path / "natural.txt"))
    assert prepare(*words) == 0
    said = capsys.readouterr()
    assert read_manifest(tmp_path / "data" / "tree").name == "tree"
    for heard in (
        "4 (3 man-made, 1 natural)",
        "classes found: 4, with pictures to train + to validate: oak 2",
        "8 x 8 pixels",
        "SHA-256",
        SET_ASIDE,
        "Set aside: 0",
    ):
        assert heard in said.out
    assert re.search(r"120 images in [\d.]+ s, [\d,]+ images/s", said.err)
    assert prepare(*words) == 0
    assert "already prepared" in capsys.readouterr().out


def test_more_pictures_in_the_folder_are_noticed(
    tree: Path, prepare: Prepare, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("folder", "--from", str(tree), "--size", "8", "--workers", "1")
    assert prepare(*words) == 0
    assert "kinds not distinguished" in capsys.readouterr().out
    with Image.open(tmp_path / "data" / "tree" / CONTACT_SHEET) as sheet:
        assert "under their names. oak, saw, tap, yew." in sheet.info["Description"]
    fill(tree, {"oak/new.jpg": jpeg(999)})
    assert prepare(*words) == 1
    assert "--force" in capsys.readouterr().err
    assert prepare(*words, "--force") == 0
    assert read_manifest(tmp_path / "data" / "tree").valid[1] == 121


def test_too_many_bad_pictures_stop_with_one_sentence(
    tree: Path, prepare: Prepare, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tree, {f"oak/a{row}.jpg": b"" for row in range(6)})
    assert prepare("folder", "--from", str(tree), "--size", "8", "--workers", "1") == 1
    said = capsys.readouterr().err
    assert "6 pictures cannot be used, more than the 5 that may be lost of 126" in said
    assert "Traceback" not in said
    assert not (tmp_path / "data" / "tree").exists()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_one_class_is_refused_with_what_was_found_and_fewer_than_four_are_for_one_split_alone(
    count: int, tree: Path, prepare: Prepare, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "parts"
    for part, rows in (("Train", range(20)), ("test", range(20, 30))):
        for name in ("oak", "saw", "tap")[:count]:
            fill(root / part / name, {f"{row}.jpg": (tree / name / f"{row:02}.jpg").read_bytes() for row in rows})
    assert prepare("folder", "--from", str(root), "--workers", "1") == (1 if count == 1 else 0)
    said = capsys.readouterr()
    assert "oak 20 + 10" in said.out
    if count == 1:
        assert "at least 2 classes are needed, because one class is no task, and there are 1: prepare more." in said.err
        assert "to train: Train; to validate: test" in said.err
        assert not (tmp_path / "data").exists()
        return
    prepared = open_prepared(next((tmp_path / "data").iterdir()))
    assert prepared.split("whole").classes("T") == tuple(range(count))
    with pytest.raises(DataError, match=f"at least 4 classes .* half with one class is no task, and there are {count}"):
        prepared.split("random0")


def test_doubts_are_told_and_links_are_followed_on_request(
    tree: Path, prepare: Prepare, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "links").mkdir()
    for name in ("oak", "saw", "tap", "yew"):
        (tmp_path / "links" / name).symlink_to(tree / name)
    words = ("folder", "--from", str(tmp_path / "links"), "--size", "8", "--workers", "1")
    assert prepare(*words) == 1
    assert "--follow-links" in capsys.readouterr().err
    assert prepare(*words, "--follow-links") == 0
    assert "doubt: only " in capsys.readouterr().out
    assert read_manifest(tmp_path / "data" / "links").valid[1] == 120


def test_an_interrupted_preparation_says_that_it_goes_on(
    tree: Path, prepare: Prepare, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("data_prep.packing.packed", stopped)
    assert prepare("folder", "--from", str(tree), "--workers", "1") == 130
    assert "goes on from what is downloaded and packed" in capsys.readouterr().err


def test_a_download_that_fails_names_the_other_way(
    prepare: Prepare, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cifar100, "ARCHIVE", Published("http://127.0.0.1:9/c.tar.gz", "c.tar.gz", 5, "0"))
    monkeypatch.setattr("data_prep.download.time.sleep", lambda _: None)
    assert prepare("cifar100") == 1
    assert "--from" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [("folder",), ("imagenet",), ("cifar100", "--size", "1000"), ("folder", "--from", ".", "--shape", "stretch"),
     ("cifar100", "--seed", "1"), ("photos", "--from", ".")],
)  # fmt: skip
def test_options_that_do_not_fit_end_with_2(words: tuple[str, ...], prepare: Prepare) -> None:
    assert prepare(*words) == 2
