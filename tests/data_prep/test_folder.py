"""`folder`: any class-per-folder tree, with validation images that never move."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep import ensure_pictures
from data_prep.folder import held_out, is_held_out, list_folder
from data_prep.listing import Fitting, Listing
from data_prep.packing import write_listing
from tests.data_prep.conftest import fill, jpeg
from transferkit.disk.prepared import IMAGES, LABELS, read_manifest
from transferkit.errors import DataError, UsageError


def parts(listing: Listing) -> tuple[set[str], set[str]]:
    """The content hashes on both sides."""
    return {item.mark for item in listing.train}, {item.mark for item in listing.valid}


def test_classes_are_the_folders_in_order_and_about_a_fifth_is_held_out(tree: Path) -> None:
    listing = list_folder(tree, "mine")
    assert [one.name for one in listing.classes] == ["oak", "saw", "tap", "yew"]
    assert len(listing.train) + len(listing.valid) == 120
    assert 10 <= len(listing.valid) <= 40
    assert {listing.classes[item.label].name for item in listing.valid if item.place.startswith("saw/")} == {"saw"}


def test_adding_renaming_and_removing_images_moves_no_other(tree: Path) -> None:
    train, valid = parts(list_folder(tree, "mine"))
    fill(tree, {f"oak/new{row}.jpg": jpeg(1000 + row) for row in range(20)})
    (tree / "saw" / "00.jpg").rename(tree / "saw" / "zz.jpg")
    (tree / "tap" / "07.jpg").unlink()
    train_after, valid_after = parts(list_folder(tree, "mine"))
    assert not (train & valid_after) | (valid & train_after)
    assert len(train_after | valid_after) == 139


def test_copies_of_an_image_stay_together_and_are_a_doubt_under_several_classes(tree: Path) -> None:
    for row in range(20):
        shutil.copy(tree / "oak" / f"{row:02}.jpg", tree / "saw" / f"copy{row:02}.jpg")
    listing = list_folder(tree, "mine")
    train, valid = parts(listing)
    assert not train & valid
    (doubt,) = listing.doubts
    assert doubt.startswith("40 of 140 pictures are the same, byte for byte, as one of another class (oak/")
    assert doubt.endswith("in 'oak' and 'saw')")
    shutil.copy(tree / "oak" / "00.jpg", tree / "oak" / "zz.jpg")  # in the same class, it spoils nothing
    assert "41 of 141" in list_folder(tree, "mine").doubts[0]


def test_a_class_that_is_there_twice_stops(tree: Path) -> None:
    for name in ("oak", "saw"):
        shutil.copytree(tree / name, tree / f"{name} again")
    with pytest.raises(
        DataError, match=r"120 of 180 pictures are the same, byte for byte, as one of another class .*remove the copies"
    ):
        list_folder(tree, "mine")


@pytest.mark.parametrize("copied", [1, 7, 30])
def test_training_pictures_among_those_to_validate_are_a_doubt_or_stop(copied: int, tree: Path, tmp_path: Path) -> None:
    shutil.copytree(tree, tmp_path / "both" / "train")
    for name in ("oak", "saw", "tap", "yew"):
        fill(
            tmp_path / "both" / "val" / name,
            {f"new{row}.jpg": jpeg(5000 + ord(name[0]) * 40 + row) for row in range(15)},
        )
        for row in range(copied):
            shutil.copy(tree / name / f"{row:02}.jpg", tmp_path / "both" / "val" / name)
    told = f"{4 * copied} of {60 + 4 * copied} validation pictures are training pictures too"
    if copied < 15:
        assert list_folder(tmp_path / "both", "mine").doubts[0].startswith(told)
    else:
        with pytest.raises(DataError, match=f"{told}.*no number measured on them would mean anything"):
            list_folder(tmp_path / "both", "mine")


def test_a_notebook_hears_of_doubts(tree: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = ensure_pictures(tree, tmp_path / "work")
    (doubt,) = read_manifest(folder).doubts
    assert f"tree: {doubt}" in caplog.text
    caplog.clear()
    ensure_pictures(tree, tmp_path / "work")
    assert not caplog.text


def test_files_that_cannot_be_read_are_no_copies_of_one_another(tree: Path) -> None:
    fill(tree, {f"{name}/empty{row}.jpg": b"" for name in ("oak", "saw") for row in range(90)})
    assert list_folder(tree, "mine").doubts == ()


def test_pictures_of_kinds_that_are_not_read_are_a_doubt(tree: Path) -> None:
    fill(tree, {"oak/1.heic": b"\0\0\0\x18ftypheic", "oak/2.HEIC": b"x", "saw/1.nef": b"II*\0", "saw/x.txt": b"x"})
    listing = list_folder(tree, "mine")
    assert listing.doubts == ("pictures of kinds that are not read are left out: .heic (2), .nef (1)",)
    assert set(listing.passed_over) == {"oak/1.heic", "oak/2.HEIC", "saw/1.nef", "saw/x.txt"}


@given(st.integers(0, 2**64 - 1), st.floats(0.01, 0.98))
def test_a_larger_share_only_adds_to_what_is_held_out(mark: int, share: float) -> None:
    assert is_held_out(f"{mark:016x}", share) <= is_held_out(f"{mark:016x}", share + 0.01)
    assert is_held_out(f"{mark:016x}", share) == (mark / 2**64 < share)


def test_the_fingerprint_knows_every_byte_but_not_where_the_folder_is(tree: Path, tmp_path: Path) -> None:
    before = list_folder(tree, "mine").fingerprint()
    shutil.copytree(tree, tmp_path / "elsewhere" / "tree")
    assert list_folder(tmp_path / "elsewhere" / "tree", "mine").fingerprint() == before
    content = (tree / "oak" / "00.jpg").read_bytes()
    (tree / "oak" / "00.jpg").write_bytes(content[:-1] + b"x")  # of the same size
    assert list_folder(tree, "mine").fingerprint() != before


def test_arrays_hold_training_images_first_and_the_labels_of_their_folders(tree: Path, tmp_path: Path) -> None:
    listing = list_folder(tree, "mine")
    manifest = write_listing(tmp_path / "out", listing, Fitting(8), workers=1)
    images, labels = np.load(tmp_path / "out" / IMAGES, mmap_mode="r"), np.load(tmp_path / "out" / LABELS)
    assert images.shape == (120, 3, 8, 8)
    assert manifest.train == (0, len(listing.train))
    assert manifest.valid == (len(listing.train), 120)
    assert labels.tolist() == [item.label for item in (*listing.train, *listing.valid)]


def test_folders_called_train_and_val_are_taken_as_they_are(tree: Path, tmp_path: Path) -> None:
    both = tmp_path / "both"
    shutil.copytree(tree, both / "train")
    fill(
        both,
        {f"val/{name}/1.jpg": jpeg(700 + i) for i, name in enumerate(("oak", "saw", "tap", "yew"))}
        | {"test/1.jpg": jpeg()},
    )
    listing = list_folder(both, "mine")
    assert [one.name for one in listing.classes] == ["oak", "saw", "tap", "yew"]
    assert [item.place for item in listing.valid] == [f"val/{name}/1.jpg" for name in ("oak", "saw", "tap", "yew")]
    assert "'val'" in listing.validation


def test_a_list_names_the_natural_classes(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "natural.txt").write_text("# trees\noak\n")
    listing = list_folder(tree, "mine", natural=tmp_path / "natural.txt")
    assert [one.natural for one in listing.classes] == [True, False, False, False]
    (tmp_path / "natural.txt").write_text("elm\n")
    with pytest.raises(UsageError, match="names elm"):
        list_folder(tree, "mine", natural=tmp_path / "natural.txt")
    with pytest.raises(UsageError, match="cannot be read"):
        list_folder(tree, "mine", natural=tmp_path / "lost.txt")


def test_classes_that_are_wnids_get_their_names_and_kinds(tmp_path: Path) -> None:
    files = {
        f"{wnid}/{row}.JPEG": jpeg(row + 99 * i)
        for i, wnid in enumerate(("n01440764", "n02834397"))
        for row in range(9)
    }
    classes = list_folder(fill(tmp_path, files), "part").classes
    assert [(one.name, one.natural) for one in classes] == [("tench", True), ("bib", False)]


def test_files_that_are_not_pictures_are_passed_over_and_listed(tree: Path) -> None:
    fill(tree, {"oak/notes.txt": b"x", "readme.md": b"x", "oak/Thumbs.db": b"x"})
    assert set(list_folder(tree, "mine").passed_over) == {"oak/notes.txt", "readme.md", "oak/Thumbs.db"}


def test_a_class_of_one_picture_is_named_even_if_it_is_there_twice(tree: Path) -> None:
    fill(tree, {"zzz/1.jpg": jpeg(9999), "zzz/2.jpg": jpeg(9999)})
    with pytest.raises(DataError, match=r"no (validation|training) pictures of zzz \(1 of 5 .* two different pictures"):
        list_folder(tree, "mine")


MARKS = st.integers(0, 2**64 - 1).map(lambda mark: f"{mark:016x}")
CLASSES = st.dictionaries(st.sampled_from("abcdef"), st.sets(MARKS, min_size=1, max_size=6), min_size=1).map(
    lambda found: {name: {mark + name for mark in marks} for name, marks in found.items()}  # no copies among classes
)


@given(CLASSES, st.floats(0.02, 0.98))
def test_of_each_class_with_two_pictures_one_is_held_out_and_one_is_not(
    classes: dict[str, set[str]], share: float
) -> None:
    chosen, small = held_out(classes, share)
    for name, marks in classes.items():
        by_hash = {mark for mark in marks if is_held_out(mark, share)}
        if 0 < len(by_hash) < len(marks) or len(marks) == 1:
            assert name not in small
            assert chosen & marks == by_hash
        else:
            assert name in small
            assert 0 < len(chosen & marks) < len(marks)
            assert len(chosen & marks ^ by_hash) == 1
    assert held_out(dict(reversed(classes.items())), share)[0] == chosen


@pytest.mark.parametrize("share", [0.01, 0.2, 0.99])
def test_small_classes_hold_out_at_least_one_and_the_manifest_says_which(share: float, tmp_path: Path) -> None:
    root = fill(
        tmp_path, {f"{name}/{row}.jpg": jpeg(8 * i + row) for i, name in enumerate("abcdefgh") for row in (0, 1)}
    )
    listing = list_folder(root, "mine", share)
    assert [item.label for item in listing.train] == [item.label for item in listing.valid] == list(range(8))
    assert "Classes too small for that (" in listing.validation


def test_a_name_that_is_not_utf8_is_refused(tree: Path) -> None:
    (tree / "oak").rename(tree / "o\udcffk")
    with pytest.raises(DataError, match="cannot be printed"):
        list_folder(tree, "mine")


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5])
def test_a_share_outside_0_to_1_is_refused(share: float, tree: Path) -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        list_folder(tree, "mine", valid_share=share)
