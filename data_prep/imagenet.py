"""`imagenet`: ILSVRC 2012 in its usual layouts, with the paper's order of classes and its two kinds."""

import re
from collections.abc import Mapping
from pathlib import Path

from data_prep.devkit import read_devkit, read_solution
from data_prep.listing import Item, Listing, class_folders, imagenet_classes, is_picture, labelled, some
from data_prep.sources import Folder
from transferkit.errors import DataError

ROOTS = (".", "ILSVRC/Data/CLS-LOC", "Data/CLS-LOC", "CLS-LOC")  # all but the first as Kaggle packs it
TRAINS = ("train", "train_images", "ILSVRC2012_img_train")
VALIDS = ("val", "valid", "validation", "val_images", "ILSVRC2012_img_val")
NAMED = re.compile(r"(ILSVRC2012_val_(?P<number>\d{8})|(?P<own>n\d{8})_\d+)(_(?P<added>n\d{8}))?")
SOURCE = (
    "ILSVRC 2012 (Russakovsky et al. 2015): {train} of its 1281167 training and {valid} of its 50000 validation images."
)
VALIDATION = "validation images are those of the challenge's validation set: other photographs of the same classes."


def list_imagenet(
    root: Path, name: str = "imagenet", devkit: Path | None = None, *, follow_links: bool = False
) -> Listing:
    """The images of all 1000 classes, in the order of the paper's indices (sorted wnids).

    `root` holds `train` and `val`, with a folder for each wnid or flat. The names of flat images tell their wnid, as
    those from Hugging Face's archives and all training images do (`n01440764_18.JPEG`,
    `ILSVRC2012_val_00000001_n01440764.JPEG`), or are looked up in the development kit (a folder or tar.gz, at `devkit`
    or in `root`) or Kaggle's `LOC_val_solution.csv` in `root`. Raises DataError when something is missing or the
    classes are not the 1000.
    """
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: name the folder that holds 'train' and 'val' of ILSVRC 2012.")
    train_folder, valid_folder = _find(root, TRAINS, "training"), _find(root, VALIDS, "validation")
    classes = imagenet_classes()
    source = Folder(root, follow_links)
    sizes = {**source.sizes(train_folder), **source.sizes(valid_folder)}
    train, others = class_folders(sizes, train_folder)
    if not train:
        train, others = _flat(root, devkit, train_folder, sizes)
    _check_classes(f"{root / train_folder}", set(train), set(classes))
    valid, more = class_folders(sizes, valid_folder)
    if not valid:
        valid, more = _flat(root, devkit, valid_folder, sizes)
    _check_classes(f"{root / valid_folder}", set(valid), set(classes))
    listed = labelled(train, list(classes)), labelled(valid, list(classes))
    return Listing(
        name, tuple(classes.values()), *listed, source, SOURCE.format(train=len(listed[0]), valid=len(listed[1])),
        VALIDATION, (*others, *more), published=True,
    )  # fmt: skip


def _find(root: Path, names: tuple[str, ...], what: str) -> str:
    for base in ROOTS:
        for name in names:
            if (root / base / name).is_dir():
                return f"{name}/" if base == "." else f"{base}/{name}/"
    tars = some(sorted(path.name for path in root.glob("*.tar*")))
    raise DataError(
        f"{root} holds no folder {' or '.join(names)} of {what} images"
        f"{f' ({tars} must be unpacked first)' if tars else ''}: unpack ILSVRC2012_img_train.tar (and each class's own "
        "tar in it, to a folder of its name) and ILSVRC2012_img_val.tar, or Hugging Face's train_images_*.tar.gz and "
        "val_images.tar.gz, to 'train' and 'val', and name the folder that holds both."
    )


def _check_classes(place: str, found: set[str], wanted: set[str]) -> None:
    if found == wanted:
        return
    lost, new = sorted(wanted - found), sorted(found - wanted)
    wrong = [f"{len(lost)} are missing ({', '.join(lost[:3])})"] if lost else []
    wrong += [f"{len(new)} do not belong to ILSVRC 2012 ({', '.join(new[:3])})"] if new else []
    raise DataError(
        f"{place}: of the 1000 classes {' and '.join(wrong)}: complete it, or prepare a part of ImageNet with "
        "'python -m data_prep folder', which knows the kinds of these classes too."
    )


def _flat(
    root: Path, devkit: Path | None, folder: str, sizes: Mapping[str, int]
) -> tuple[dict[str, list[Item]], list[str]]:
    """Images outside class folders, by wnid, and the other files."""
    found: dict[str, list[Item]] = {}
    others, truth = [], dict[int, str]()
    for place in (one for one in sizes if one.startswith(folder)):
        if not is_picture(place):
            others.append(place)
            continue
        named = NAMED.fullmatch(Path(place).stem)
        wnid = (named["added"] or named["own"]) if named else None
        if named and wnid is None:
            truth = truth or _truth(root, devkit)
            wnid = truth.get(int(named["number"]))
        if wnid is None:
            raise DataError(f"{root / place}: neither its name nor the ground truth tells its class; remove it.")
        found.setdefault(wnid, []).append(Item(place, -1, str(sizes[place])))
    if tars := [place for place in others if place.endswith(".tar")]:
        raise DataError(f"{root / tars[0]} is not unpacked: unpack each class's tar to a folder of its name.")
    return found, others


def _truth(root: Path, devkit: Path | None) -> dict[int, str]:
    """The wnid of every validation image by its number."""
    places = (root / base / "LOC_val_solution.csv" for base in (".", "..", "../..", "../../.."))
    solution = next((place for place in places if place.is_file()), None)
    return read_devkit(root, devkit) if devkit or not solution else read_solution(solution)
