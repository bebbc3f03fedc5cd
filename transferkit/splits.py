"""Split the classes into two halves: similar (random, apart), dissimilar (natural), in between (overlap); or do not."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from transferkit.errors import DataError, UsageError

SplitKind = Literal["random", "apart", "natural", "overlap", "whole"]

FEWEST_IN_HALF = 2  # to tell one class from none is no task
RANDOM_SPLITS = ("random0", "random1", "random2", "random3")  # the paper's; every other number is another draw
WHOLE = "whole"  # the split that divides nothing: its only half, T, is all classes
DRAWN: tuple[SplitKind, ...] = ("random", "apart")  # kinds of which any number of splits can be drawn
_NAMES: Mapping[SplitKind, str] = {
    "random": r"random(0|[1-9]\d{0,3})",
    "apart": r"apart(0|[1-9]\d{0,3})",
    "natural": "natural",
    "overlap": r"overlap-(0|1|0?\.\d+|1\.0+)",
    "whole": WHOLE,
}


@dataclass(frozen=True)
class ClassSplit:
    """Half A and half B: sorted indices of classes. The label of a class within a half is its rank there.

    Of the split "whole", half B is empty, and half A, with all classes, is called T. Raises UsageError when the halves
    overlap, when one repeats a class, and when one is empty.
    """

    name: str
    half_a: tuple[int, ...]
    half_b: tuple[int, ...]

    def __post_init__(self) -> None:
        shared = sorted(set(self.half_a) & set(self.half_b))
        if shared:
            raise UsageError(f"split {self.name}: classes {shared} are in both halves; give each class to one half.")
        for half in (self.half_a, self.half_b)[: 1 if self.name == WHOLE else 2]:
            if not half or list(half) != sorted(set(half)):
                raise UsageError(f"split {self.name}: a half must list at least one class, sorted, each once: {half}.")

    @property
    def kind(self) -> SplitKind:
        """How the classes were divided. Raises UsageError for a name that no split has."""
        return kind_of(self.name)

    def classes(self, half: Literal["A", "B", "T"]) -> tuple[int, ...]:
        """The sorted class indices of one half. Raises UsageError for a half that this split does not have."""
        if (half == "T") != (self.name == WHOLE):
            raise UsageError(f"split {self.name} has no half {half}: {WHOLE} has T, every other split has A and B.")
        return self.half_b if half == "B" else self.half_a


def kind_of(name: str) -> SplitKind:
    """The kind of the split called `name`. Raises UsageError for a name that no split has."""
    for kind, pattern in _NAMES.items():
        if re.fullmatch(pattern, name):
            return kind
    raise UsageError(
        f"'{name}' is no split: choose random0 or apart0 (or another number below 10000), natural, overlap-x with x in "
        f"0 to 1, or {WHOLE}."
    )


def is_of_kind(name: str, *kinds: SplitKind) -> bool:
    """Whether `name` is that of a split of one of these kinds; no other name is refused."""
    return any(re.fullmatch(_NAMES[kind], name) for kind in kinds)


def overlap_of(name: str) -> float:
    """The x of a split called `overlap-x`, 0..1."""
    return float(name.removeprefix("overlap-"))


def make_split(
    name: str, natural: Sequence[bool], *, known_parts: bool = False, groups: Sequence[str] = ()
) -> ClassSplit:
    """The split called `name`: `random0`, `random1`, ..., `apart0`, ..., `natural`, `overlap-x` (x in 0..1), `whole`.

    `natural` says for each class whether it is natural (or man-made). `known_parts` says whether the two kinds consist
    of separate parts, which `overlap-x` needs, and `groups` which classes belong together, for `apart0`. Raises
    UsageError for any other name, and when these classes cannot be split that way; DataError for fewer than 4, and for
    fewer than 2 that stay together.
    """
    kind = kind_of(name)
    check_enough(len(natural), halves=1 if kind == "whole" else 2)
    if kind == "whole":
        return ClassSplit(name, tuple(range(len(natural))), ())
    if kind == "random":
        return random_split(name, len(natural))
    if kind == "apart":
        return apart_split(name, natural, groups)
    if kind == "natural":
        return natural_split(natural)
    if not known_parts:
        raise UsageError(f"split {name} needs classes made of known parts (shapeworld): choose natural or random0.")
    return overlap_split(name, natural)


def check_enough(n_classes: int, halves: int = 2) -> None:
    """Raise DataError when there are too few classes for so many halves of at least two."""
    if n_classes < (least := halves * FEWEST_IN_HALF):
        one = "a half with one class" if halves > 1 else "one class"
        raise DataError(
            f"at least {least} classes are needed, because {one} is no task, and there are {n_classes}: prepare more."
        )


def random_split(name: str, n_classes: int) -> ClassSplit:
    """Split by the authors' own rule: seed the legacy generator with the list [s], draw half A without replacement.

    For 1000 classes and s = 0..3, these are exactly the halves of the paper.
    """
    generator = np.random.RandomState([int(name.removeprefix("random"))])  # the same stream as numpy.random.seed([s])
    half_a = generator.choice(np.arange(n_classes), n_classes // 2, replace=False)
    return _complete(name, half_a.tolist(), n_classes)


def natural_split(natural: Sequence[bool]) -> ClassSplit:
    """The dissimilar halves of the paper: A is man-made, B is natural. Raises UsageError when one would be empty."""
    man_made = [index for index, flag in enumerate(natural) if not flag]
    if len(man_made) in (0, len(natural)):
        raise UsageError("split natural needs both natural and man-made classes: choose random0.")
    return _complete("natural", man_made, len(natural))


def apart_split(name: str, natural: Sequence[bool], groups: Sequence[str]) -> ClassSplit:
    """Halves that share no group of classes, and have natural and man-made classes in proportions as equal as possible.

    On `photos`, a group is a photograph: random halves have most photographs in common, the natural halves none. These
    halves have none in common either, but are of the same kinds, so that the two differences can be separated. There
    are few such halves (on `photos` 30 pairs), so numbers repeat. Raises UsageError when the classes have no groups, a
    group has both kinds, or a kind has fewer than two groups.
    """
    members = list(zip(groups, natural, strict=False))
    sizes = [Counter(group for group, flag in members if flag is kind) for kind in (False, True)]
    if len(set(groups)) == len(groups) or set(sizes[0]) & set(sizes[1]) or min(map(len, sizes)) < 2:
        raise UsageError(
            f"split {name} needs several classes of one group, as places in one photograph, and two groups of either "
            "kind: choose natural or random0."
        )
    generator = np.random.RandomState([int(name.removeprefix("apart"))])
    chosen = {group for of_kind in sizes for group in _half_of(of_kind, generator)}
    return _complete(name, [index for index, group in enumerate(groups) if group in chosen], len(natural))


def _half_of(sizes: Mapping[str, int], generator: np.random.RandomState) -> set[str]:
    """Draw groups whose total size is as near to half of all as possible; all such choices are equally likely."""
    groups = sorted(sizes)
    ways = [Counter({0: 1})]  # at index k: how many choices among the first k groups have each total size
    for group in groups:
        ways.append(ways[-1] + Counter({size + sizes[group]: count for size, count in ways[-1].items()}))
    left = min(ways[-1], key=lambda size: (abs(2 * size - sum(sizes.values())), size))
    chosen = set()
    for number, group in reversed(list(enumerate(groups))):
        with_it, without = ways[number][left - sizes[group]], ways[number][left]
        if generator.random_sample() * (with_it + without) < with_it:
            chosen.add(group)
            left -= sizes[group]
    return chosen


def overlap_split(name: str, natural: Sequence[bool]) -> ClassSplit:
    """Halves that share a set fraction x of their parts: 0 is the natural split, 1 mixes both kinds evenly.

    Half A takes 1 - x/2 of the man-made classes and x/2 of the natural ones, half B the others, so that both halves
    keep their size. Man-made and natural classes consist of different parts. Therefore the overlap of the two halves'
    histograms of parts is x, up to the rounding to whole classes.
    """
    overlap = overlap_of(name)
    man_made = [index for index, flag in enumerate(natural) if not flag]
    others = [index for index, flag in enumerate(natural) if flag]
    generator = np.random.RandomState([0])
    leaving = generator.choice(man_made, round(len(man_made) * overlap / 2), replace=False).tolist()
    joining = generator.choice(others, round(len(others) * overlap / 2), replace=False).tolist()
    return _complete(name, [*set(man_made).difference(leaving), *joining], len(natural))


def _complete(name: str, half_a: Sequence[int], n_classes: int) -> ClassSplit:
    half_b = set(range(n_classes)).difference(half_a)
    if min(len(half_a), len(half_b)) < FEWEST_IN_HALF:
        raise UsageError(f"split {name} gives a half of these classes fewer than 2, which is no task: choose random0.")
    return ClassSplit(name, tuple(sorted(half_a)), tuple(sorted(half_b)))
