"""`folder`: any tree with one folder of pictures per class, or two such trees called `train` and `val`."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from data_prep.listing import Item, Listing, class_folders, imagenet_classes, labelled
from data_prep.pictures import PictureError
from data_prep.sources import Folder
from transferkit.disk.prepared import ClassInfo
from transferkit.errors import DataError, UsageError

VALID_NAMES = ("val", "valid", "validation")
HASHED = (
    "validation images are those whose content's SHA-256 lies in the first {share:.0%} of its range: adding, renaming "
    "or removing images moves no other between training and validation, and copies of one image stay together."
)
GIVEN = "validation images are those of the folder '{name}', as they came."


def list_folder(root: Path, name: str, valid_share: float = 0.2, natural: Path | None = None) -> Listing:
    """The pictures of every class folder below `root`, classes sorted by the names of their folders.

    A `valid_share` of the pictures is held out by the hash of their content, unless `root` holds just `train` and
    `val`. `natural` is a text file with the names of the natural classes, one a line; it is not needed where all
    classes are wnids of ILSVRC 2012. Raises UsageError for a share outside 0..1 or an unknown class in `natural`,
    DataError when there is no folder or a class is empty.
    """
    if not 0 < valid_share < 1:
        raise UsageError(f"--valid-share {valid_share}: give a share between 0 and 1.")
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: name the folder that holds one folder of pictures per class.")
    source = Folder(root)
    sizes = source.sizes()
    parts = _given_parts(root)
    if parts:
        folders, others = zip(*(class_folders(sizes, f"{part}/") for part in parts), strict=True)
        found = _all_marked(source, folders[0]), _all_marked(source, folders[1])
        names = sorted({*found[0], *found[1]})
        passed_over, validation = [place for one in others for place in one], GIVEN.format(name=parts[1])
    else:
        one, passed_over = class_folders(sizes, "")
        found = _held_out(source, one, valid_share)
        names, validation = sorted(one), HASHED.format(share=valid_share)
    train, valid = (labelled(one, names) for one in found)
    arguments = {} if parts else {"valid_share": valid_share}
    about = f"{len(train) + len(valid)} pictures of the folder '{root.resolve().name}'."
    return Listing(
        name, _classes(names, natural), train, valid, source, about, validation, tuple(passed_over), arguments,
    )  # fmt: skip


def is_held_out(mark: str, share: float) -> bool:
    """Whether a picture with this SHA-256 (hexadecimal) is held out; this does not depend on other pictures."""
    return int(mark[:16], 16) < share * 2**64


def _given_parts(root: Path) -> tuple[str, str] | None:
    names = {path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")}
    for valid in VALID_NAMES:
        if {"train", valid} <= names <= {"train", valid, "test"}:
            return "train", valid
    return None


def _held_out(
    source: Folder, folders: Mapping[str, Sequence[Item]], share: float
) -> tuple[dict[str, list[Item]], dict[str, list[Item]]]:
    train: dict[str, list[Item]] = {}
    valid: dict[str, list[Item]] = {}
    for name, items in folders.items():
        for item in (_marked(source, one) for one in items):
            (valid if is_held_out(item.mark, share) else train).setdefault(name, []).append(item)
    return train, valid


def _all_marked(source: Folder, folders: Mapping[str, Sequence[Item]]) -> dict[str, list[Item]]:
    return {name: [_marked(source, item) for item in items] for name, items in folders.items()}


def _marked(source: Folder, item: Item) -> Item:
    try:
        content = source.read(item.place)
    except PictureError:  # decoding will fail too, and set it aside
        content = b""
    return item._replace(mark=hashlib.sha256(content).hexdigest())


def _classes(names: Sequence[str], natural: Path | None) -> tuple[ClassInfo, ...]:
    for name in names:
        if not name.isprintable():  # such as bytes that are not UTF-8
            raise DataError(f"the name of the class folder {name!r} cannot be printed: rename it.")
    known = imagenet_classes()
    if natural is None and names and all(name in known for name in names):
        return tuple(known[name] for name in names)
    flagged = _read_names(natural) if natural else set()
    if unknown := sorted(flagged.difference(names)):
        raise UsageError(f"{natural} names {', '.join(unknown[:3])}, but there is no such folder: correct the list.")
    return tuple(ClassInfo(name, name in flagged) for name in names)


def _read_names(path: Path) -> set[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"{path} cannot be read ({problem}): give a text file with one class name a line.") from None
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}
