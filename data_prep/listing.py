"""The pictures of a data set and their classes, before any picture is decoded."""

import csv
import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import NamedTuple

from data_prep.pictures import ENDINGS, Pictures, Squaring
from transferkit.disk.prepared import ClassInfo, Part
from transferkit.errors import DataError, UsageError

SMALLEST, LARGEST = 8, 512  # sides in pixels


class Item(NamedTuple):
    """One picture: its place, its class, and what identifies its content (its size in bytes, or a checksum)."""

    place: str
    label: int
    mark: str = ""


@dataclass(frozen=True)
class Fitting:
    """How every picture is fitted to a square, and its side in pixels. Raises UsageError for a side out of range."""

    size: int = 48
    shape: Squaring = "crop"

    def __post_init__(self) -> None:
        if not SMALLEST <= self.size <= LARGEST:
            raise UsageError(f"--size {self.size}: give a side of {SMALLEST} to {LARGEST} pixels.")


@dataclass(frozen=True)
class Listing:
    """A data set of pictures: its training items and its validation items, in the order of the prepared arrays.

    `passed_over` are files that are no pictures or belong to no class. `arguments` is what else determined the items.
    `told` says how the files were understood, `doubts` what may spoil results. What stops others is a doubt in
    a `published` data set, on which everybody measures. Raises DataError when a class has no item to train or validate.
    """

    name: str
    classes: tuple[ClassInfo, ...]
    train: tuple[Item, ...]
    valid: tuple[Item, ...]
    pictures: Pictures
    source: str
    validation: str
    passed_over: tuple[str, ...] = ()
    arguments: Mapping[str, int | float | str | bool] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    published: bool = False

    def __post_init__(self) -> None:
        check_parts(self.classes, [item.label for item in self.train], [item.label for item in self.valid])

    def fingerprint(self) -> str:
        """16 hexadecimal digits of a SHA-256 over classes and items; it does not depend on where the files lie."""
        digest = hashlib.sha256(repr([(one.name, one.natural) for one in self.classes]).encode())
        for part, items in (("train", self.train), ("valid", self.valid)):
            for place, label, mark in items:
                digest.update(f"{part}\0{place}\0{label}\0{mark}\n".encode(errors="surrogateescape"))
        return digest.hexdigest()[:16]


def check_parts(classes: Sequence[ClassInfo], train: Iterable[int], valid: Iterable[int]) -> None:
    """Raise DataError when a class has no picture in a part."""
    parts: tuple[tuple[Part, set[int]], ...] = (("train", set(train)), ("valid", set(valid)))
    for part, known in parts:
        if empty := [one.name for label, one in enumerate(classes) if label not in known]:
            what = "training" if part == "train" else "validation"
            raise DataError(
                f"no {what} pictures of {some(empty)} ({len(empty)} of {len(classes)} classes): each needs at least "
                "two different pictures that can be read, one to train and one to validate; add some or drop the class."
            )


def counted(listing: Listing, most: int = 100) -> str:
    """The first `most` classes by name, with their numbers of pictures to train and to validate."""
    train, valid = (Counter(item.label for item in items) for items in (listing.train, listing.valid))
    named = [f"{one.name} {train[i]} + {valid[i]}" for i, one in enumerate(listing.classes[:most])]
    more = [f"and {len(listing.classes) - most} more"] if len(listing.classes) > most else []
    return f"{len(listing.classes)}, with pictures to train + to validate: {', '.join(named + more)}"


def class_folders(sizes: Mapping[str, int], folder: str) -> tuple[dict[str, list[Item]], list[str]]:
    """The pictures in each subfolder of `folder` ("" or ending with "/"), and the files that are not pictures.

    The items' labels are not set yet (-1).
    """
    found: dict[str, list[Item]] = {}
    others = []
    for place, size in sizes.items():
        if place.startswith(folder):
            name, slash, _ = place[len(folder) :].partition("/")
            if slash and is_picture(place):
                found.setdefault(name, []).append(Item(place, -1, str(size)))
            else:
                others.append(place)
    return found, others


def is_picture(place: str) -> bool:
    """Whether a file's name ends like that of a picture."""
    return os.path.splitext(place)[1].lower() in ENDINGS  # called a million times, so without Path


def labelled(found: Mapping[str, Sequence[Item]], names: Sequence[str]) -> tuple[Item, ...]:
    """The items of the classes `names`, class by class; a label is the class's position in `names`."""
    return tuple(item._replace(label=label) for label, name in enumerate(names) for item in found.get(name, ()))


def read_table(name: str) -> list[dict[str, str]]:
    """The rows of a table of this package, without its comments (lines that begin with #)."""
    text = resources.files("data_prep").joinpath("tables", name).read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def imagenet_classes() -> dict[str, ClassInfo]:
    """The 1000 classes of ILSVRC 2012 by wnid, in the order of the paper's indices, with the paper's kinds."""
    return {row["wnid"]: ClassInfo(row["name"], row["kind"] == "natural") for row in read_table("imagenet.csv")}


def shown(place: str) -> str:
    """A place for people: a file name may hold any bytes."""
    return place.encode(errors="backslashreplace").decode()


def some(names: Sequence[str]) -> str:
    """The first names of a list, for a sentence."""
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
