"""`tinyimagenet`: 200 classes of ILSVRC 2012 in 64 x 64 pixels, 500 training and 50 validation images each.

It was made for Stanford's course CS231n; `tables/imagenet.csv` has the kinds of its classes.
"""

from collections.abc import Mapping
from pathlib import Path

from data_prep.download import Published
from data_prep.listing import Item, Listing, class_folders, imagenet_classes, is_picture, labelled
from data_prep.pictures import PictureError
from data_prep.sources import Files, open_source
from transferkit.disk.prepared import ClassInfo
from transferkit.errors import DataError

ARCHIVE = Published(
    "http://cs231n.stanford.edu/tiny-imagenet-200.zip", "tiny-imagenet-200.zip", 248_100_043,
    "90528d7ca1a48142e341f4ef8d21d0de",
)  # fmt: skip
SOURCE = "Tiny ImageNet (CS231n, Stanford): {classes} classes of ILSVRC 2012, images of 64 x 64 pixels."
VALIDATION = "validation images are those of the folder 'val': other photographs of the same classes."
ANNOTATIONS = "val_annotations.txt"


def list_tiny_imagenet(path: Path, name: str = "tinyimagenet", *, follow_links: bool = False) -> Listing:
    """Tiny ImageNet from its zip archive or from the folder in it; classes in the order of wnids.

    Validation images may lie in one folder with `val_annotations.txt`, as published, or in class folders. Raises
    DataError when files are missing or a class does not belong to ILSVRC 2012.
    """
    source = open_source(path, follow_links=follow_links)
    sizes = source.sizes()
    root = next((place.removesuffix("wnids.txt") for place in sizes if place.endswith("wnids.txt")), None)
    if root is None:
        raise DataError(f"{path} holds no wnids.txt: name the archive or the folder 'tiny-imagenet-200'.")
    wnids = sorted(set(_read(source, f"{root}wnids.txt").split()))
    train, others = class_folders(sizes, f"{root}train/")
    boxes = {f"{root}train/{wnid}/{wnid}_boxes.txt" for wnid in wnids}  # where objects are in the images
    valid, passed_over = _valid(source, sizes, root)
    return Listing(
        name, _classes(wnids), labelled(train, wnids), labelled(valid, wnids), source,
        SOURCE.format(classes=len(wnids)), VALIDATION, tuple(sorted({*others, *passed_over} - boxes)),
        published=True,
    )  # fmt: skip


def _valid(source: Files, sizes: Mapping[str, int], root: str) -> tuple[dict[str, list[Item]], list[str]]:
    folders, others = class_folders(sizes, f"{root}val/")
    annotations = f"{root}val/{ANNOTATIONS}"
    if set(folders) - {"images"}:
        return folders, [place for place in others if place != annotations]
    if annotations not in sizes:
        raise DataError(f"no {annotations} tells the classes of the validation images: fetch the data set again.")
    found: dict[str, list[Item]] = {}
    for line in _read(source, annotations).splitlines():
        file, wnid, *_ = [*line.split("\t"), "", ""]
        place = f"{root}val/images/{file}"
        if not (is_picture(file) and place in sizes):
            raise DataError(f"{annotations} names '{file}', which is not there: fetch the data set again.")
        found.setdefault(wnid, []).append(Item(place, -1, str(sizes[place])))
    return found, [place for place in others if place != annotations]


def _classes(wnids: list[str]) -> tuple[ClassInfo, ...]:
    known = imagenet_classes()
    if unknown := [wnid for wnid in wnids if wnid not in known]:
        raise DataError(
            f"{', '.join(unknown[:3])} in wnids.txt are no classes of ILSVRC 2012, so their kind is not known: "
            "prepare the data as 'folder' with a list after --natural."
        )
    return tuple(known[wnid] for wnid in wnids)


def _read(source: Files, name: str) -> str:
    try:
        return source.read(name).decode()
    except (PictureError, UnicodeDecodeError) as problem:
        raise DataError(f"{name} cannot be read ({problem}): fetch the data set again.") from None
