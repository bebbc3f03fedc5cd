"""`python -m data_prep`: what it says and the exit codes it ends with."""

from collections.abc import Callable
from pathlib import Path

import pytest

from data_prep.__main__ import main
from transferkit.manifest import IMAGES, MANIFEST, read_manifest

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
def test_a_data_set_is_prepared_and_said_to_be(
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
    told = capsys.readouterr().err
    assert all(word in told for word in ("'fotos'", "photos", "shapeworld"))
