"""ILSVRC 2012 trees as users have them, with one tiny image for each class and part."""

import tarfile
from pathlib import Path

import pytest

from data_prep.devkit import META, TRUTH
from data_prep.imagenet import list_imagenet
from data_prep.listing import Listing, imagenet_classes, read_table
from tests.data_prep.conftest import fill
from tests.data_prep.trees import IMAGE, TRUTHS, WNIDS, devkit, flat, imagenet_tree
from transferkit.errors import DataError
from transferkit.splits import make_split


def natural_of_the_paper() -> list[int]:
    return [*range(398), *range(936, 959), 970, *range(972, 999)]


def test_the_table_holds_the_1000_classes_in_the_order_of_wnids() -> None:
    rows = read_table("imagenet.csv")
    assert [int(row["index"]) for row in rows] == list(range(1000))
    assert sorted(WNIDS) == WNIDS
    assert all(len(wnid) == 9 and wnid[0] == "n" and wnid[1:].isdigit() for wnid in WNIDS)
    assert len({row["name"] for row in rows}) == len(WNIDS) == 1000
    known = {
        0: "tench",
        207: "golden retriever",
        281: "tabby",
        404: "airliner",
        817: "sports car",
        999: "toilet tissue",
    }
    assert {index: rows[index]["name"] for index in known} == known


def test_the_kinds_are_the_halves_of_the_paper() -> None:
    split = make_split("natural", [one.natural for one in imagenet_classes().values()])
    assert list(split.half_b) == natural_of_the_paper()
    assert (len(split.half_a), len(split.half_b)) == (551, 449)


def truths(listing: Listing) -> dict[int, int]:
    """The label of every validation image by its number."""
    return {int(Path(item.place).stem[-8:]): item.label for item in listing.valid}


WANTED = {row: int(label) for row, label in enumerate(TRUTHS, 1)}


def test_validation_images_in_class_folders(tmp_path: Path) -> None:
    valid = {f"{WNIDS[label]}/ILSVRC2012_val_{row:08}.JPEG": IMAGE for row, label in WANTED.items()}
    listing = list_imagenet(imagenet_tree(tmp_path / "root", valid))
    assert truths(listing) == WANTED
    assert [item.label for item in listing.train] == list(range(1000))
    assert listing.classes[281].name == "tabby"
    assert "1000 of its 1281167 training and 1000 of its 50000" in listing.source


def test_flat_validation_images_with_the_devkit_as_folder_or_archive(tmp_path: Path) -> None:
    root = imagenet_tree(tmp_path / "root", flat())
    with pytest.raises(DataError, match="--devkit"):
        list_imagenet(root)
    kit = fill(tmp_path / "kit" / "ILSVRC2012_devkit_t12" / "data", devkit()).parent
    assert truths(list_imagenet(root, devkit=kit)) == WANTED
    with tarfile.open(root / "ILSVRC2012_devkit_t12.tar.gz", "w:gz") as archive:
        archive.add(kit, "ILSVRC2012_devkit_t12")
    assert truths(list_imagenet(root)) == WANTED


@pytest.mark.parametrize("train", ["train", "train_images"])
def test_names_with_wnids_as_in_the_archives_of_hugging_face_need_no_ground_truth(train: str, tmp_path: Path) -> None:
    valid = {f"val/ILSVRC2012_val_{row:08}_{WNIDS[label]}.JPEG": IMAGE for row, label in WANTED.items()}
    listing = list_imagenet(
        fill(tmp_path, valid | {f"{train}/{wnid}_{17 + row}_{wnid}.JPEG": IMAGE for row, wnid in enumerate(WNIDS)})
    )
    assert {int(Path(item.place).stem[15:23]): item.label for item in listing.valid} == WANTED
    assert [item.label for item in listing.train] == list(range(1000))


def test_training_images_without_class_folders_have_them_in_their_names(tmp_path: Path) -> None:
    valid = {f"val/{wnid}/1.JPEG": IMAGE for wnid in WNIDS}
    root = fill(tmp_path, valid | {f"train/{wnid}_{row}.JPEG": IMAGE for row, wnid in enumerate(WNIDS)})
    assert [item.label for item in list_imagenet(root).train] == list(range(1000))
    fill(root, {"train/holiday.JPEG": IMAGE})
    with pytest.raises(DataError, match=r"holiday.JPEG: neither its name nor the ground truth tells its class"):
        list_imagenet(root)


def test_archives_that_are_not_unpacked_are_named(tmp_path: Path) -> None:
    root = fill(tmp_path, {"ILSVRC2012_img_train.tar": b"", "ILSVRC2012_img_val.tar": b""})
    with pytest.raises(DataError, match=r"\(ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar must be unpacked first\)"):
        list_imagenet(root)
    fill(root, {f"train/{WNIDS[0]}.tar": b"", "val/x.JPEG": IMAGE})
    with pytest.raises(DataError, match=f"{WNIDS[0]}.tar is not unpacked: unpack each class's tar"):
        list_imagenet(root)


def test_links_to_the_images_are_followed_on_request(tmp_path: Path) -> None:
    valid = {f"{wnid}/ILSVRC2012_val_{row:08}.JPEG": IMAGE for row, wnid in enumerate(WNIDS, 1)}
    stored = imagenet_tree(tmp_path / "store", valid)
    (tmp_path / "here").mkdir()
    for part in ("train", "val"):
        (tmp_path / "here" / part).symlink_to(stored / part)
    with pytest.raises(DataError, match="--follow-links"):
        list_imagenet(tmp_path / "here")
    assert list_imagenet(tmp_path / "here", follow_links=True).fingerprint() == list_imagenet(stored).fingerprint()


def test_the_tree_of_kaggle_with_its_list(tmp_path: Path) -> None:
    root = imagenet_tree(tmp_path / "root", flat(), "ILSVRC/Data/CLS-LOC")
    rows = [f"ILSVRC2012_val_{row:08},{WNIDS[label]} 1 2 3 4 " for row, label in WANTED.items()]
    (root / "LOC_val_solution.csv").write_text("ImageId,PredictionString\n" + "\n".join(rows) + "\n")
    assert truths(list_imagenet(root)) == WANTED
    assert truths(list_imagenet(root / "ILSVRC")) == WANTED


def test_a_devkit_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    root = imagenet_tree(tmp_path / "root", flat() | {"ILSVRC2012_val_00050001.JPEG": IMAGE})
    kit = fill(tmp_path / "kit", devkit())
    with pytest.raises(DataError, match="00050001.JPEG: neither its name nor the ground truth"):
        list_imagenet(root, devkit=kit)
    (kit / TRUTH).write_text("2000\n")
    with pytest.raises(DataError, match="names 2000"):
        list_imagenet(root, devkit=kit)
    (kit / META).write_bytes(b"not a mat file")
    with pytest.raises(DataError, match="meta.mat cannot be read"):
        list_imagenet(root, devkit=kit)


def test_missing_and_foreign_classes_are_named(tmp_path: Path) -> None:
    root = imagenet_tree(tmp_path / "root", {f"{wnid}/1.JPEG": IMAGE for wnid in WNIDS})
    (root / "train" / WNIDS[3]).rename(root / "train" / "n99999999")
    with pytest.raises(DataError, match=r"1 are missing \(n01491361\) and 1 do not belong to .* \(n99999999\)"):
        list_imagenet(root)
    with pytest.raises(DataError, match="ILSVRC2012_img_train.tar"):
        list_imagenet(tmp_path)
    with pytest.raises(DataError, match="is not a folder"):
        list_imagenet(tmp_path / "lost")
