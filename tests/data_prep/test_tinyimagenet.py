"""Tiny ImageNet from zip archives and folders in the format in which it is published."""

from pathlib import Path

import numpy as np
import pytest

from data_prep.listing import Fitting, imagenet_classes
from data_prep.packing import write_listing
from data_prep.rendering import SET_ASIDE
from data_prep.tinyimagenet import list_tiny_imagenet
from tests.data_prep.conftest import fill
from tests.data_prep.trees import TINY_WNIDS, tiny_files, zipped
from transferkit.disk.prepared import IMAGES, LABELS
from transferkit.errors import DataError


@pytest.fixture
def files() -> dict[str, bytes]:
    return tiny_files()


def test_classes_come_in_the_order_of_wnids_with_names_and_kinds(files: dict[str, bytes], tmp_path: Path) -> None:
    classes = list_tiny_imagenet(zipped(tmp_path / "t.zip", files)).classes
    assert [(one.name, one.natural) for one in classes] == [
        ("Egyptian cat", True), ("bib", False), ("reel", False), ("cliff", True),
    ]  # fmt: skip


def test_the_archive_is_packed_in_place_on_several_processes(files: dict[str, bytes], tmp_path: Path) -> None:
    listing = list_tiny_imagenet(zipped(tmp_path / "t.zip", files))
    manifest = write_listing(tmp_path / "out", listing, Fitting(64), workers=2)
    assert (manifest.train, manifest.valid) == ((0, 16), (16, 24))
    labels, images = np.load(tmp_path / "out" / LABELS), np.load(tmp_path / "out" / IMAGES)
    assert labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4 + [0, 0, 1, 1, 2, 2, 3, 3]
    assert len(np.unique(images.reshape(24, -1), axis=0)) == 24
    assert (tmp_path / "out" / SET_ASIDE).read_text() == "path,reason\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "t.zip"]


def test_the_unpacked_folder_gives_the_same(files: dict[str, bytes], tmp_path: Path) -> None:
    listing = list_tiny_imagenet(zipped(tmp_path / "t.zip", files))
    fill(tmp_path / "unpacked", files)
    manifests = [write_listing(tmp_path / f"out{i}", one, Fitting(16), workers=1) for i, one in enumerate(
        (listing, list_tiny_imagenet(tmp_path / "unpacked" / "tiny-imagenet-200"))
    )]  # fmt: skip
    assert manifests[0].checksums == manifests[1].checksums


def test_validation_images_sorted_into_class_folders_are_found(files: dict[str, bytes], tmp_path: Path) -> None:
    published = list_tiny_imagenet(zipped(tmp_path / "t.zip", files))
    for i, wnid in enumerate(TINY_WNIDS):
        for row in range(2):
            image = files.pop(f"tiny-imagenet-200/val/images/val_{2 * i + row}.JPEG")
            files[f"tiny-imagenet-200/val/{wnid}/images/val_{2 * i + row}.JPEG"] = image
    sorted_in = list_tiny_imagenet(zipped(tmp_path / "u.zip", files))
    assert [item.label for item in sorted_in.valid] == [item.label for item in published.valid]
    assert sorted_in.passed_over == published.passed_over == ()


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        ("wnids.txt", "no wnids.txt"),
        ("val/val_annotations.txt", "no .*val_annotations.txt"),
        ("val/images/val_3.JPEG", "names 'val_3.JPEG', which is not there"),
    ],
)
def test_what_is_missing_is_named(lost: str, reason: str, files: dict[str, bytes], tmp_path: Path) -> None:
    del files[f"tiny-imagenet-200/{lost}"]
    with pytest.raises(DataError, match=reason):
        list_tiny_imagenet(zipped(tmp_path / "t.zip", files))


def test_a_class_that_imagenet_lacks_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    files["tiny-imagenet-200/wnids.txt"] += b"\nn99999999"
    with pytest.raises(DataError, match="n99999999 .* --natural"):
        list_tiny_imagenet(zipped(tmp_path / "t.zip", files))


def test_the_classes_of_these_tests_are_known() -> None:
    assert set(TINY_WNIDS) <= set(imagenet_classes())
