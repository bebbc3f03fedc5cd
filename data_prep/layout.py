"""What the folders of a tree mean: classes, or the parts of a split that hold the classes. In doubt it is refused."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from data_prep.listing import is_picture, some
from data_prep.pictures import UNREAD_ENDINGS
from data_prep.sources import Folder
from transferkit.errors import DataError

PartName = Literal["train", "valid", "test"]
WORDS: Mapping[str, PartName] = {
    "train": "train", "training": "train", "val": "valid", "valid": "valid", "validation": "valid", "eval": "valid",
    "evaluation": "valid", "dev": "valid", "test": "test", "testing": "test",
}  # fmt: skip
ADDITION = re.compile(r"([ ._-]?(set|images|imgs?|data))?(\d+|[ ._-]x?\d*)?$")  # as in train_images or train.X1
Places = Mapping[str, Sequence[str]]  # of the pictures of each class


@dataclass(frozen=True)
class Layout:
    """The places of the pictures of each class. `valid` is None where no part of the tree is for validation.

    `parts` are the folders of either part, `aside` says what was left alone, and `passed_over` lists the files in the
    parts that belong to no class or are no pictures.
    """

    train: Places
    valid: Places | None
    parts: tuple[tuple[str, ...], tuple[str, ...]]
    aside: tuple[str, ...]
    passed_over: tuple[str, ...]


def read_layout(source: Folder, *, nested: bool = False) -> Layout:
    """Tell which folders are classes and which are parts of a split, and which files are pictures.

    With `nested`, a class may hold nothing but further folders. Raises DataError when the tree can be understood in
    several ways, or a class holds no picture; the error says what would have become of it.
    """
    return _Tree(source, *_told_apart(source), nested).layout()


def part_of(name: str) -> PartName | None:
    """The part of a split that a folder's name stands for, if any."""
    return WORDS.get(ADDITION.sub("", name.strip().casefold()))


@dataclass(frozen=True)
class _Tree:
    source: Folder
    pictures: tuple[str, ...]
    others: tuple[str, ...]
    nested: bool

    def layout(self) -> Layout:
        top = self._grouped("")
        named = {part: [name for name in top if part_of(name) == part] for part in ("train", "valid", "test")}
        held_out = named["valid"] or named["test"]
        if not (named["train"] and held_out):
            return Layout(self._classes([""]), None, ((), ()), (), self._passed_over([""]))
        parts = named["train"], held_out
        self._check_parts(top, parts)
        beside = [name for name in self.source.folders() if name not in parts[0] + parts[1]]
        if foreign := [name for name in beside if name in top and name not in named["test"]]:
            raise DataError(
                f"{self.source.root} holds '{foreign[0]}' with {_count(top[foreign[0]])} beside {_quoted(parts[0])} "
                f"and {_quoted(parts[1])}, which are parts of a split: move it away, or into them if it is a class."
            )
        train, valid = (self._classes([f"{name}/" for name in part]) for part in parts)
        aside = tuple(f"'{name}' ({_count(top.get(name, ()))})" for name in beside)
        return Layout(train, valid, (tuple(parts[0]), tuple(parts[1])), aside,
                      self._passed_over([f"{name}/" for name in parts[0] + parts[1]]))  # fmt: skip

    def _grouped(self, prefix: str) -> dict[str, list[str]]:
        """The pictures below each folder in `prefix`."""
        found: dict[str, list[str]] = {}
        for place in self.pictures:
            name, slash, _ = place[len(prefix) :].partition("/")
            if place.startswith(prefix) and slash:
                found.setdefault(name, []).append(place)
        return found

    def _check_parts(self, top: Places, parts: tuple[list[str], list[str]]) -> None:
        flat = [name for part in parts for name in part if not self._grouped(f"{name}/")]
        root, train = self.source.root, parts[0]
        if set(flat) & set(train):
            raise DataError(
                f"{root}: {_quoted([*train, *parts[1]])} are names of parts of a split, but {_quoted(flat)} have no "
                "class folders: put the pictures of each class into a folder of its own in them, or rename a class."
            )
        if flat:
            raise DataError(
                f"{root}: {_quoted(flat)} holds {_count(top[flat[0]])} without class folders, so their classes are not "
                f"known: sort them into such folders, or name {root / train[0]} after --from to hold out a share of it."
            )
        for part in parts:
            if len(part) > 1 and not all(re.search(r"\d$", name) for name in part):  # numbered ones belong together
                raise DataError(f"{root}: {_quoted(part)} mean the same part of a split: merge them, or move one away.")

    def _classes(self, prefixes: Sequence[str]) -> Places:
        found: dict[str, list[str]] = {}
        for prefix in prefixes:
            classes = self._grouped(prefix)
            if not self.nested:
                self._check_not_nested(prefix, classes)
            if lost := [name for name in self.source.folders(prefix) if name not in classes]:
                raise DataError(self._lost(prefix, lost))
            for name, places in classes.items():
                found.setdefault(name, []).extend(places)
        return found

    def _check_not_nested(self, prefix: str, classes: Places) -> None:
        deep = {name: sorted(self._grouped(f"{prefix}{name}/")) for name, places in classes.items()
                if all("/" in place[len(f"{prefix}{name}/") :] for place in places)}  # fmt: skip
        for name, inner in deep.items():
            place = self.source.root / prefix / name
            others = f" (as {len(deep) - 1} more)" if len(deep) > 1 else ""
            raise DataError(
                f"{place} holds only folders{others} ({some(inner)}): {_count(classes[name])} below it would become "
                f"the one class '{name}'; name {place} after --from if its folders are the classes, "
                "or add --nested if it is a class itself."
            )

    def _lost(self, prefix: str, names: Sequence[str]) -> str:
        files = [place for place in self.others if place.startswith(f"{prefix}{names[0]}/")]
        endings = Counter(PurePosixPath(place).suffix.lower() or "no ending" for place in files)
        what = f"its files are {', '.join(f'{ending} ({count})' for ending, count in endings.most_common(4))}"
        remedy = "convert them to JPEG or PNG" if set(endings) & UNREAD_ENDINGS else "add pictures, or move it away"
        more = f"; the same goes for {some(names[1:])}" if names[1:] else ""
        return (
            f"the class folder {self.source.root / prefix / names[0]} holds no picture that can be read "
            f"({what if files else 'it is empty'}): {remedy}{more}."
        )

    def _passed_over(self, prefixes: Sequence[str]) -> tuple[str, ...]:
        stray = (place for prefix in prefixes for place in self.pictures
                 if place.startswith(prefix) and "/" not in place[len(prefix) :])  # fmt: skip
        return tuple(sorted({*stray, *(place for place in self.others if place.startswith(tuple(prefixes)))}))


def _told_apart(source: Folder) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The pictures, by their names or, where these do not tell, by their content; and the other files."""
    pictures: list[str] = []
    others: list[str] = []
    for place in source.sizes():
        (pictures if is_picture(place) or source.holds_picture(place) else others).append(place)
    return tuple(pictures), tuple(others)


def _count(places: Sequence[str]) -> str:
    return f"{len(places) or 'no'} picture{'s' if len(places) != 1 else ''}"


def _quoted(names: Iterable[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)
