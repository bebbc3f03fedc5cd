"""`folder`: any class-per-folder tree, with validation images that never move."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.folder import is_held_out, list_folder
from data_prep.listing import Fitting, Listing
from data_prep.packing import write_listing
from tests.data_prep.conftest import fill, jpeg
from transferkit.disk.prepared import IMAGES, LABELS
from transferkit.errors import DataError, UsageError


def parts(listing: Listing) -> tuple[set[str], set[str]]:
    """The content hashes on both sides."""
    return {item.mark for item in listing.train}, {item.mark for item in listing.valid}


def test_classes_are_the_folders_in_order_and_about_a_fifth_is_held_out(tree: Path) -> None:
    listing = list_folder(tree, "mine")
    assert [one.name for one in listing.classes] == ["oak", "saw", "tap"]
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


def test_copies_of_an_image_stay_together(tree: Path) -> None:
    for row in range(20):
        shutil.copy(tree / "oak" / f"{row:02}.jpg", tree / "saw" / f"copy{row:02}.jpg")
    train, valid = parts(list_folder(tree, "mine"))
    assert not train & valid


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
    fill(both, {f"val/{name}/1.jpg": jpeg(7) for name in ("oak", "saw", "tap")} | {"test/1.jpg": jpeg()})
    listing = list_folder(both, "mine")
    assert [one.name for one in listing.classes] == ["oak", "saw", "tap"]
    assert [item.place for item in listing.valid] == ["val/oak/1.jpg", "val/saw/1.jpg", "val/tap/1.jpg"]
    assert "'val'" in listing.validation


def test_a_list_names_the_natural_classes(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "natural.txt").write_text("# trees\noak\n")
    listing = list_folder(tree, "mine", natural=tmp_path / "natural.txt")
    assert [one.natural for one in listing.classes] == [True, False, False]
    (tmp_path / "natural.txt").write_text("elm\n")
    with pytest.raises(UsageError, match="names elm"):
        list_folder(tree, "mine", natural=tmp_path / "natural.txt")
    with pytest.raises(UsageError, match="cannot be read"):
        list_folder(tree, "mine", natural=tmp_path / "lost.txt")


def test_classes_that_are_wnids_get_their_names_and_kinds(tmp_path: Path) -> None:
    files = {f"{wnid}/{row}.JPEG": jpeg(row) for wnid in ("n01440764", "n02834397") for row in range(40)}
    classes = list_folder(fill(tmp_path, files), "part").classes
    assert [(one.name, one.natural) for one in classes] == [("tench", True), ("bib", False)]


def test_files_that_are_not_pictures_are_passed_over_and_listed(tree: Path) -> None:
    fill(tree, {"oak/notes.txt": b"x", "readme.md": b"x", "oak/Thumbs.db": b"x"})
    assert set(list_folder(tree, "mine").passed_over) == {"oak/notes.txt", "readme.md", "oak/Thumbs.db"}


def test_a_class_without_validation_images_is_named(tree: Path) -> None:
    fill(tree, {"yew/1.jpg": jpeg(1)})
    with pytest.raises(DataError, match=r"no (validation|training) pictures of yew \(1 of 4"):
        list_folder(tree, "mine")


def test_one_class_or_none_cannot_be_divided(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least 2"):
        list_folder(fill(tmp_path, {"oak/1.jpg": jpeg()}), "mine")


def test_a_name_that_is_not_utf8_is_refused(tree: Path) -> None:
    (tree / "oak").rename(tree / "o\udcffk")
    with pytest.raises(DataError, match="cannot be printed"):
        list_folder(tree, "mine")


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5])
def test_a_share_outside_0_to_1_is_refused(share: float, tree: Path) -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        list_folder(tree, "mine", valid_share=share)
