"""Whether numbers measured on these pictures can mean anything: what spoils them all stops, a doubt is recorded."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from data_prep.listing import Item, shown, some
from data_prep.pictures import Images
from transferkit.errors import DataError

DOUBTFUL, SPOILT = 0.01, 0.5  # shares of the pictures: what is told, and from which on no number means anything
FEWEST_VALUES, FEW_VALUES = 16, 64  # of the 256 that a byte can have; 12 bits stored in 16 leave 16
FEW_HELD_OUT = 200  # validation pictures


@dataclass(frozen=True)
class Values:
    """The least and the greatest value of some pictures, and the positions of those that are blank."""

    least: int = 255
    greatest: int = 0
    blank: tuple[int, ...] = ()

    @classmethod
    def of(cls, images: Images) -> Self:
        """Those of images, uint8 N x 3 x H x W. An image is blank if no channel has two values more than 1 apart."""
        if not len(images):
            return cls()
        span = images.max((2, 3)).astype(int) - images.min((2, 3))
        return cls(int(images.min()), int(images.max()), tuple(np.flatnonzero(span.max(1) <= 1).tolist()))


def doubts_of_copies(names: Sequence[str], train: Sequence[Item], valid: Sequence[Item]) -> tuple[str, ...]:
    """Doubts about pictures that occur under several classes, or in training and validation, by their marks.

    Raises DataError when they are half of all.
    """
    first: dict[str, Item] = {}
    mixed: dict[str, Item] = {}  # by their marks: the first picture that has another class than the first of all
    for item in (*train, *valid):
        if first.setdefault(item.mark, item).label != item.label:
            mixed.setdefault(item.mark, item)
    trained = {item.mark for item in train}
    double = [item for item in (*train, *valid) if item.mark in mixed]
    leaked = [item for item in valid if item.mark in trained]
    doubts = []
    if double:
        pair = first[double[0].mark], mixed[double[0].mark]
        places, classes = (shown(item.place) for item in pair), (f"'{names[item.label]}'" for item in pair)
        what = "pictures are the same, byte for byte, as one of another class"
        same = f"{' and '.join(places)} in {' and '.join(classes)}"
        doubts.append(_share(double, len(train) + len(valid), what, same))
    if leaked:
        same = f"{shown(leaked[0].place)} is {shown(first[leaked[0].mark].place)}"
        doubts.append(_share(leaked, len(valid), "validation pictures are training pictures too", same))
    return tuple(doubts)


def doubts_of_values(names: Sequence[str], kept: Sequence[Item], seen: Values, *, stop: bool) -> tuple[str, ...]:
    """Doubts about classes or more than 1 % of the pictures that are blank, and values that use little of their range.

    `seen` are the values of the pictures `kept`. Raises DataError, if `stop` allows it, when half of them are blank or
    all values are nearly the same.
    """
    total, span = len(kept), seen.greatest - seen.least + 1
    narrow = f"the values of all pictures lie between {seen.least} and {seen.greatest}, of 0 to 255"
    if stop and span <= FEWEST_VALUES:
        raise DataError(
            f"{narrow}: nothing can be seen in them; scale them first (0..1 by 255, 12 bits stored in 16 by 16)."
        )
    doubts = [narrow] if span < FEW_VALUES else []
    blank = [kept[row] for row in seen.blank]
    told = f"{len(blank)} of {total} pictures are of one colour" + (f", as {shown(blank[0].place)}" if blank else "")
    if stop and len(blank) >= SPOILT * total:
        raise DataError(f"{told}: nothing can be seen in them; remove them, or scale values of 0..1 by 255.")
    known, lost = (Counter(item.label for item in items) for items in (kept, blank))
    doubts += [told] if len(blank) > DOUBTFUL * total else []
    whole = [names[label] for label in lost if lost[label] == known[label]]
    doubts += [f"all pictures of {some(whole)} are of one colour ({len(whole)} classes)"] if whole else []
    return tuple(doubts)


def doubts_of_counts(valid: int, bad: int, total: int) -> tuple[str, ...]:
    """Doubts about few validation pictures, and about more than 1 % of bad ones among `total`."""
    error = 100 * math.sqrt(0.25 / max(1, valid / 2))
    few = f"only {valid} validation pictures: the accuracy of a half has a standard error of up to {error:.0f} points"
    lost = f"{bad} of {total} pictures cannot be used and are left out"
    return tuple(filter(None, (few if valid < FEW_HELD_OUT else "", lost if bad > DOUBTFUL * total else "")))


def doubts_of_kinds(passed_over: Mapping[str, int]) -> tuple[str, ...]:
    """A doubt about pictures of kinds that are not read, counted by their endings."""
    listed = ", ".join(f"{ending} ({count})" for ending, count in sorted(passed_over.items()))
    return (f"pictures of kinds that are not read are left out: {listed}",) if listed else ()


def _share(found: Sequence[Item], total: int, what: str, example: str) -> str:
    told = f"{len(found)} of {total} {what} ({example})"
    if len(found) >= SPOILT * total:
        raise DataError(
            f"{told}: no number measured on them would mean anything; remove "
            "the copies, or export the pictures again if these should differ."
        )
    return told
