"""`folder`: any tree with one folder of pictures per class, or two such trees, to train and to validate."""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from data_prep.doubts import doubts_of_copies, doubts_of_kinds
from data_prep.layout import Layout, Places, read_layout
from data_prep.listing import Item, Listing, imagenet_classes, labelled, some
from data_prep.pictures import UNREAD_ENDINGS, PictureError
from data_prep.sources import Folder
from transferkit.disk.prepared import ClassInfo
from transferkit.errors import DataError, UsageError

Marked = Mapping[str, Sequence[Item]]  # the items of each class, with their marks
UNREADABLE = hashlib.sha256(b"").hexdigest()  # the mark of what cannot be read, which is no copy of anything
HASHED = (
    "validation images are those whose content's SHA-256 lies in the first {share:.0%} of its range: adding, renaming "
    "or removing images moves no other between training and validation, and copies of one image stay together."
)
SMALL = (
    " Classes too small for that ({classes}) hold out the picture with the smallest hash, or all but the one with the "
    "largest if that range held all of them."
)
GIVEN = "validation images are those of the folder {names}, as they came."


@dataclass(frozen=True)
class Reading:
    """How a tree is read: whether links are followed, and whether a class may hold nothing but folders."""

    follow_links: bool = False
    nested: bool = False


def list_folder(
    root: Path, name: str, valid_share: float = 0.2, natural: Path | None = None, reading: Reading = Reading()
) -> Listing:
    """The pictures of every class folder below `root`, classes sorted by the names of their folders.

    Where `root` holds parts of a split, such as `train` and `val`, or `test` if there is no `val`, they are taken as
    they are. Otherwise a `valid_share` of the pictures is held out by the hash of their content, and at least one of
    each class. `natural` is a text file with the names of the natural classes, one a line; it is not needed where all
    classes are wnids of ILSVRC 2012. Raises UsageError for a share outside 0..1 or an unknown class in `natural`,
    DataError when the tree has no clear meaning, a class is empty, or half of the pictures are copies of others.
    """
    if not 0 < valid_share < 1:
        raise UsageError(f"--valid-share {valid_share}: give a share between 0 and 1.")
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: name the folder that holds one folder of pictures per class.")
    source = Folder(root, reading.follow_links)
    layout = read_layout(source, nested=reading.nested)
    if not layout.train:
        raise DataError(
            f"{root} holds no folders of pictures: put the pictures of each class into a folder of its own."
        )
    found, validation = _divided(source, layout, valid_share)
    names = sorted({*found[0], *found[1]})
    train, valid = (labelled(one, names) for one in found)
    arguments = {"valid_share": valid_share} if layout.valid is None else {}
    about = f"{len(train) + len(valid)} pictures of the folder '{root.resolve().name}'."
    unread = Counter(ending for place in layout.passed_over
                     if (ending := PurePosixPath(place).suffix.lower()) in UNREAD_ENDINGS)  # fmt: skip
    readable = ([item for item in items if item.mark != UNREADABLE] for items in (train, valid))
    return Listing(
        name, _classes(names, natural), train, valid, source, about, validation, layout.passed_over, arguments,
        _told(layout), (*doubts_of_kinds(unread), *doubts_of_copies(names, *readable)),
    )  # fmt: skip


def is_held_out(mark: str, share: float) -> bool:
    """Whether a picture with this SHA-256 (hexadecimal) is held out; this does not depend on other pictures."""
    return int(mark[:16], 16) < share * 2**64


def held_out(classes: Mapping[str, Collection[str]], share: float) -> tuple[frozenset[str], tuple[str, ...]]:
    """The marks that are held out of each class's marks, and the classes that are too small to leave it to their hash.

    A mark is on one side in all classes. Of a class that would have all or none of its marks held out, one is moved to
    the other side, if it has two different ones.
    """
    chosen = {mark for marks in classes.values() for mark in marks if is_held_out(mark, share)}
    small = []
    for name, marks in sorted(classes.items()):
        own = sorted({*marks} - {UNREADABLE})
        if len(own) > 1 and len(chosen.intersection(own)) in (0, len(own)):
            small.append(name)
            chosen ^= {own[0] if own[0] not in chosen else own[-1]}
    return frozenset(chosen), tuple(small)


def _divided(source: Folder, layout: Layout, share: float) -> tuple[tuple[Marked, Marked], str]:
    """The items to train and to validate, and how these were chosen, in words."""
    marked = _marked(source, layout.train)
    if layout.valid is not None:
        names = " and ".join(f"'{name}'" for name in layout.parts[1])
        return (marked, _marked(source, layout.valid)), GIVEN.format(names=names)
    chosen, small = held_out({name: [item.mark for item in items] for name, items in marked.items()}, share)
    parts = [{name: [item for item in items if (item.mark in chosen) is wanted] for name, items in marked.items()}
             for wanted in (False, True)]  # fmt: skip
    return (parts[0], parts[1]), HASHED.format(share=share) + (SMALL.format(classes=some(small)) if small else "")


def _marked(source: Folder, classes: Places) -> Marked:
    return {name: [Item(place, -1, _mark(source, place)) for place in places] for name, places in classes.items()}


def _mark(source: Folder, place: str) -> str:
    try:
        return hashlib.sha256(source.read(place)).hexdigest()
    except PictureError:  # decoding will fail too, and set it aside
        return UNREADABLE


def _told(layout: Layout) -> tuple[str, ...]:
    parts = [f"{what}: {', '.join(part)}" for what, part in zip(("to train", "to validate"), layout.parts, strict=True)
             if part]  # fmt: skip
    return (*parts, *([f"left alone: {', '.join(layout.aside)}"] if layout.aside else []))


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
