"""What the folders of a tree mean: trees as people have them are understood, others are asked about."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.folder import Reading, list_folder
from data_prep.layout import part_of, read_layout
from data_prep.listing import Listing
from data_prep.sources import Folder
from tests.data_prep.conftest import fill, jpeg
from transferkit.errors import DataError

CLASSES = ("cat", "dog", "emu", "fox")
TRAIN, VALID = ("train", "training"), ("val", "valid", "validation", "eval", "evaluation", "dev")
TEST = ("test", "testing")
CASES = (str.lower, str.upper, str.title)
ADDITIONS = ("", "set", "_set", " images", "-data", "_images", "1", ".X1", ".X")


def classes(below: str, count: int, first: int) -> dict[str, bytes]:
    """Pictures of all classes in one part, in folders of their names."""
    rows = ((i, name, first + row) for i, name in enumerate(CLASSES) for row in range(count))
    return {f"{below}{name}/{row}.jpg": jpeg(1000 * i + row) for i, name, row in rows}


def names(listing: Listing) -> list[str]:
    return [one.name for one in listing.classes]


@given(st.sampled_from(TRAIN), st.sampled_from(VALID + TEST), st.sampled_from(CASES), st.sampled_from(ADDITIONS))
@settings(max_examples=25)
def test_parts_are_known_by_their_usual_names(train: str, valid: str, case: object, addition: str) -> None:
    train, valid = (case(word) + addition for word in (train, valid))  # type: ignore[operator]
    with TemporaryDirectory() as place:
        root = fill(Path(place), classes(f"{train}/", 3, 0) | classes(f"{valid}/", 1, 100))
        fill(root, {"annotations/a.json": b"{}", "__MACOSX/cat/._1.jpg": b"x", ".git/x.jpg": jpeg()})
        (root / "labels").mkdir()
        listing = list_folder(root, "mine")
    assert names(listing) == list(CLASSES)
    assert (len(listing.train), len(listing.valid)) == (12, 4)
    assert {item.place.partition("/")[0] for item in listing.valid} == {valid}
    assert listing.told == (f"to train: {train}", f"to validate: {valid}",
                            "left alone: 'annotations' (no pictures), 'labels' (no pictures)")  # fmt: skip
    assert valid in listing.validation


@given(st.text("abcdefghijklmnopqrstuvwxyz_-. 0123456789", min_size=1))
def test_no_other_name_is_a_part(name: str) -> None:
    words = re.search("|".join(TRAIN + VALID + TEST), name)
    assert part_of(name) is None or words


def test_names_that_only_begin_like_a_part_are_classes() -> None:
    for name in ("trainer", "validate", "testament", "value", "contest", "trains", "evaluate", "text"):
        assert part_of(name) is None


def test_with_val_and_test_val_validates_and_test_is_left_alone(tmp_path: Path) -> None:
    parts = {"Train": (3, 0), "Test": (2, 100), "Val": (1, 200)}
    root = fill(
        tmp_path, {k: v for part, (count, first) in parts.items() for k, v in classes(f"{part}/", count, first).items()}
    )
    listing = list_folder(root, "mine")
    assert {item.place.partition("/")[0] for item in listing.valid} == {"Val"}
    assert listing.told[-1] == "left alone: 'Test' (8 pictures)"


def test_numbered_folders_of_one_part_belong_together_and_others_are_asked_about(tmp_path: Path) -> None:
    files = {
        f"train.X{row}/{name}/{row}.jpg": jpeg(10 * i + row) for i, name in enumerate(CLASSES) for row in (1, 2, 3)
    }
    root = fill(tmp_path / "a", files | classes("val.X/", 1, 100))
    listing = list_folder(root, "mine")
    assert (len(listing.train), len(listing.valid), names(listing)) == (12, 4, list(CLASSES))
    root = fill(tmp_path / "b", classes("train/", 1, 0) | classes("Training/", 1, 9) | classes("val/", 1, 100))
    with pytest.raises(DataError, match="'Training' and 'train' mean the same part of a split: merge them"):
        list_folder(root, "mine")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"train/1.jpg": b"", "test/1.jpg": b""}, "'train' and 'test' are names of parts of a split, but 'train' and "),
        (classes("train/", 1, 0) | {"test/1.jpg": b"", "test/2.jpg": b""},
         "'test' holds 2 pictures without class folders.*or name .*train after --from to hold out a share"),
        (classes("train/", 1, 0) | classes("val/", 1, 9) | {"cat/1.jpg": b""},
         "holds 'cat' with 1 picture beside 'train' and 'val'.*move it away"),
        (classes("train/", 2, 0), "train holds only folders .cat, dog, emu, .*: 8 pictures below it would become the "
         "one class 'train'; name .*/train after --from.*--nested"),
        (classes("archive/images/", 2, 0), "archive holds only folders .images.: 8 pictures"),
        (classes("", 2, 0) | {"wolf/grey/1.jpg": b""}, "wolf holds only folders .grey.: 1 picture below"),
        (classes("train/", 1, 0) | classes("val/", 1, 9) | {"train/cow/young/1.jpg": b""}, "train/cow holds only fold"),
        ({"1.jpg": b"", "2.jpg": b""}, "holds no folders of pictures"),
        ({}, "holds no folders of pictures"),
    ],
)  # fmt: skip
def test_a_tree_that_can_be_understood_in_several_ways_is_asked_about(
    files: dict[str, bytes], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=reason):
        list_folder(fill(tmp_path, files), "mine")


def test_a_vehicle_may_be_a_train(tmp_path: Path) -> None:
    files = {
        f"{name}/{row}.jpg": jpeg(10 * i + row) for i, name in enumerate(("bus", "car", "train")) for row in (0, 1)
    }
    assert names(list_folder(fill(tmp_path, files), "mine")) == ["bus", "car", "train"]


def test_nested_classes_are_taken_when_asked_for_and_pictures_below_others_belong_to_them(tmp_path: Path) -> None:
    files = {f"{name}/young/{row}.jpg": jpeg(10 * i + row) for i, name in enumerate(CLASSES) for row in (0, 1)}
    root = fill(tmp_path, files)
    assert names(list_folder(root, "mine", reading=Reading(nested=True))) == list(CLASSES)
    fill(root, {f"{name}/old.jpg": jpeg(50 + i) for i, name in enumerate(CLASSES)})
    listing = list_folder(root, "mine")
    assert len(listing.train) + len(listing.valid) == 12


@pytest.mark.parametrize("part", ["", "train/", "val/"])
@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        ({}, "it is empty.: add pictures"),
        ({"1.heic": b"\0\0\0\x18ftypheic", "2.HEIC": b"x"}, r"its files are .heic \(2\).: convert them to JPEG or PNG"),
        ({"1.avif": b"x", "x.txt": b"x"}, r"its files are .avif \(1\), .txt \(1\).: convert"),
        ({"1.dng": b"II*\0"}, r"its files are .dng \(1\).: convert"),
        ({"a.json": b"{}", "b": b"x"}, r"its files are .json \(1\), no ending \(1\).: add pictures, or move it away"),
    ],
)
def test_a_class_without_pictures_stops_with_what_its_files_are(
    lost: dict[str, bytes], reason: str, part: str, tmp_path: Path
) -> None:
    root = fill(tmp_path, classes("train/", 1, 0) | classes("val/", 1, 9) if part else classes("", 2, 0))
    (root / part / "gnu").mkdir()
    fill(root / part / "gnu", lost)
    with pytest.raises(DataError, match=f"{part}gnu holds no picture that can be read .{reason}"):
        list_folder(root, "mine")


@pytest.mark.parametrize("ending", [".jfif", ".JPE", "", ".heic", ".txt", ".bin"])
def test_pictures_are_told_by_their_content(ending: str, tmp_path: Path) -> None:
    root = fill(tmp_path, {f"cat/{row}{ending}": jpeg(row) for row in range(3)} | classes("", 1, 0) | {"notes": jpeg()})
    layout = read_layout(Folder(root))
    assert len(layout.train["cat"]) == 4
    assert layout.passed_over == ("notes",), "a picture in no class folder is listed"
