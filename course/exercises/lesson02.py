"""Exercises of lesson 02: two halves."""

from itertools import combinations
from typing import Any

import numpy as np

from course.asking.lesson02 import ask_relabel, ask_shared_parts, ask_split_classes
from course.asking.plain import Plain
from course.exercises.difference import difference
from course.exercises.exercise import Case, Exercise, Finding, judge_by

MANY = 10  # classes: with this many or more, several seeds hardly ever all draw the same half
MANY_SEEDS = 60  # with so many, each class and each pair of classes is drawn both ways


def _pose_split(generator: np.random.Generator) -> tuple[Case, ...]:
    """The same seeds for every number of classes, and 0 among them; and once many seeds."""
    seeds = [0, 1, 10, 256, 1000, *(generator.choice(1000, 2, replace=False) + 2000).tolist()]
    cases = [
        Case(f"{count} classes and the seeds {seeds}", {"n_classes": count, "seeds": seeds})
        for count in (10, 7, 40, int(generator.integers(11, 40)), 2, 3, 11, 80)
    ]
    many = {"n_classes": MANY, "seeds": list(range(MANY_SEEDS))}
    return (*cases, Case(f"{MANY} classes and the seeds 0 to {MANY_SEEDS - 1}", many))


def _judge_split(case: Case, value: Any) -> Finding | None:
    n_classes, seeds, (first, second, again, elsewhere) = case.given["n_classes"], case.given["seeds"], value["turns"]
    for seed, (half_a, half_b) in zip(seeds, first, strict=True):
        if found := _fault_of_halves(half_a, half_b, n_classes):
            return Finding(f"seed {seed}: {found.seen}", found.misconception or _why_uneven(first, n_classes))
    if first != again:
        changed = next(seed for seed, one, other in zip(seeds, first, again, strict=True) if one != other)
        return Finding(f"the same seed, {changed}, gave other halves when it was used again.", "drawn afresh")
    if first != second:
        return Finding("the same seed gave other halves after something else had drawn random numbers.", "global state")
    if first != elsewhere:
        return Finding("the same seed gives other halves in another process of Python.", "hash")
    if value["touched"]:
        return Finding("the call changed the global generator.", "reseeds")
    if n_classes >= MANY and (found := _fault_of_seeds(seeds, [half_a for half_a, _ in first], n_classes)):
        return found
    if n_classes >= MANY and all(_in_order(half_a, n_classes) for half_a, _ in first):
        return Finding(f"half A follows the order of the classes: {first[0][0]}.", "in order")
    return None


def _fault_of_seeds(seeds: list[int], halves: list[list[int]], n_classes: int) -> Finding | None:
    """Seeds that give the same halves, and classes that are always, or never, in the same half."""
    if all(half == halves[0] for half in halves):
        return Finding(f"all {len(seeds)} seeds gave the same halves.", "seed ignored")
    alike = [pair for pair in combinations(range(len(seeds)), 2) if halves[pair[0]] == halves[pair[1]]]
    if n_classes >= 4 * MANY and alike:
        one, other = (seeds[place] for place in alike[0])
        return Finding(f"the seeds {one} and {other} gave the same halves.", "seed ignored")
    if len(seeds) < MANY_SEEDS:
        return None
    inside = np.array([np.isin(range(n_classes), half) for half in halves])
    for one in range(n_classes):
        if len(set(inside[:, one])) == 1:
            return Finding(f"class {one} is in half {'A' if inside[0, one] else 'B'} with every seed.", "not all drawn")
    for one, other in combinations(range(n_classes), 2):
        if len(set(inside[:, one] == inside[:, other])) == 1:
            where = "the same half" if inside[0, one] == inside[0, other] else "different halves"
            return Finding(f"the classes {one} and {other} are in {where} with every seed.", "not all drawn")
    return None


def _fault_of_halves(half_a: list[int], half_b: list[int], n_classes: int) -> Finding | None:
    every = sorted(half_a + half_b)
    if both := sorted(set(half_a) & set(half_b)):
        own = "" if len(set(every)) == n_classes else "overlap"
        return Finding(f"the classes {both} are in both halves.", own)
    if every == list(range(1, n_classes + 1)):
        return Finding(f"there is a class {n_classes} and no class 0.", "from one")
    if every != list(range(n_classes)):
        return Finding(f"together the halves hold {every}, not each of 0 to {n_classes - 1} once.")
    if len(half_a) != n_classes // 2:
        return Finding(f"half A has {len(half_a)} of the {n_classes} classes instead of {n_classes // 2}.")
    for name, half in (("A", half_a), ("B", half_b)):
        if half != sorted(half):
            return Finding(f"half {name} is {half}.", "unsorted")
    return None


def _why_uneven(drawn: list[list[list[int]]], n_classes: int) -> str:
    """Halves of complete classes, but of the wrong size: by a coin, or the larger of them for A."""
    sizes = {len(half_a) for half_a, _ in drawn}
    if any(sorted(half_a + half_b) != list(range(n_classes)) for half_a, half_b in drawn):
        return ""
    return "larger" if sizes == {n_classes - n_classes // 2} else "uneven" if len(sizes) > 1 else ""


def _in_order(half: list[int], n_classes: int) -> bool:
    """Whether a half is a row of neighbours, or every second class."""
    inside = np.isin(np.arange(n_classes), half)
    changes = int((inside != np.roll(inside, 1)).sum())
    return changes <= 2 or changes >= n_classes - 1


def _pose_relabel(generator: np.random.Generator) -> tuple[Case, ...]:
    """Halves with and without class 0, classes that do not occur, no images at all, no image of the half."""
    fixed = (([0, 2, 3], [3, 0, 1, 2, 0, 5, 4, 2]), ([1, 4], [4, 4, 1, 0, 3, 2, 1]), ([0, 5], [5, 1, 2, 5, 3]),
             ([2], [2, 0, 1, 2]), ([3, 300, 7000], [7000, 3, 4, 300, 299, 3]), ([1, 3], [0, 2, 2]))  # fmt: skip
    cases = [_relabel_case(np.array(labels), half) for half, labels in fixed]
    for count, n_images in ((6, 12), (10, 30), (40, 50), (8, 0)):
        half = np.sort(generator.choice(count, count // 2, replace=False)).tolist()
        labels = generator.integers(0, count, n_images)
        if n_images == 30:
            labels = labels[labels != half[1]]  # no image of one class of the half
        cases.append(_relabel_case(labels, half))
    return tuple(cases)


def _relabel_case(labels: np.ndarray, half: list[int]) -> Case:
    images = "1 image" if len(labels) == 1 else f"{len(labels)} images"
    shown = f" of the labels {labels.tolist()}" if 0 < len(labels) < 9 else ""
    return Case(f"{images}{shown} and the half {half}", {"labels": labels, "half": half})


def _judge_relabel(case: Case, value: Any) -> Finding | None:
    given, half, came = case.given["labels"], case.given["half"], value["rows"]
    rows = np.flatnonzero(np.isin(given, half))
    if came.dtype.kind == "b":
        return Finding(f"your rows are {len(came)} truth values.", "mask")
    if came.size and came.dtype.kind not in "iu":
        return Finding(f"your rows are numbers with a decimal point, as in {came.flat[0]!s}.", "floats")
    if found := difference(rows, came):
        others = np.flatnonzero(~np.isin(given, half))
        right = np.searchsorted(half, given[rows])
        if not difference(right, came) and not difference(rows, value["labels"]):
            return Finding("your rows are the labels, and your labels the rows: the rows come first.")
        return Finding(f"your rows: {found}.", "" if difference(others, came) or not len(others) else "other half")
    kept, seen = given[rows], value["labels"]
    found = difference(np.searchsorted(half, kept), seen)
    return Finding(f"your labels: {found}.") if found else None


def _kept(case: Case) -> np.ndarray:
    given: np.ndarray = case.given["labels"]
    return given[np.isin(given, case.given["half"])]


def _relabelled(case: Case, labels: Any) -> Plain:
    rows = np.flatnonzero(np.isin(case.given["labels"], case.given["half"]))
    return {"rows": rows, "labels": np.asarray(labels, dtype=int)}


def _pose_shared(generator: np.random.Generator) -> tuple[Case, ...]:
    names = [f"{kind}/{part}" for kind in ("outline", "texture") for part in ("a", "b", "c", "d")]
    often, seldom, other = generator.choice(names, 3, replace=False).tolist()
    given = {"parts_a": [often] * 6 + [seldom] * 2, "parts_b": [often] + [other] * 5 + [seldom] * 4}
    cases = [Case(f"6 x {often}, 2 x {seldom} and 1 x {often}, 5 x {other}, 4 x {seldom}", given)]
    fixed = ((["disc"], ["disc"]), (["disc"], ["disc's rim", "rim"]), (["b", "a", "a"], ["a", "b", "a"]),
             (["ab", "a", "b"], ["b", "abc", "c", "a", "a"]), (["a", "a", "a"], ["a", "b"]))  # fmt: skip
    cases += [Case(f"{a} and {b}", {"parts_a": list(a), "parts_b": list(b)}) for a, b in fixed]
    for size_a, size_b in ((12, 12), (20, 10), (5, 15), (9, 9)):
        parts_a = generator.choice(names[: 4 + size_a % 4], size_a).tolist()
        parts_b = generator.choice(names[2:], size_b).tolist()
        if (size_a, size_b) == (9, 9):
            parts_b = [f"{name}'" for name in parts_a]
        name = f"{size_a} parts of {len(set(parts_a))} kinds and {size_b} of {len(set(parts_b))}"
        cases.append(Case(name, {"parts_a": parts_a, "parts_b": parts_b}))
    return tuple(cases)


def _counts(case: Case) -> np.ndarray:
    """How often each part stands in A and in B, 2 x parts."""
    a, b = case.given["parts_a"], case.given["parts_b"]
    return np.array([[parts.count(name) for name in sorted({*a, *b})] for parts in (a, b)])


def _shares(case: Case) -> np.ndarray:
    counts = _counts(case)
    shares: np.ndarray = counts / counts.sum(axis=1, keepdims=True)
    return shares


def _shared(case: Case) -> float:
    return float(_shares(case).min(axis=0).sum())


def _kinds(case: Case, of: int | None) -> float:
    inside = _counts(case) > 0
    return float(inside.all(axis=0).sum() / (inside.any(axis=0).sum() if of is None else inside[of].sum()))


def _one_sided(case: Case, side: int) -> float:
    return float(_shares(case)[side][_counts(case)[1 - side] > 0].sum())


def _common(case: Case, of: str) -> float:
    counts = _counts(case)
    totals = counts.sum(axis=1)
    whole = {"count": 1, "larger": totals.max(), "smaller": totals.min(), "both": totals.sum() / 2}[of]
    return float(counts.min(axis=0).sum() / whole)


EXERCISES = (
    Exercise(
        name="split_classes",
        lesson="02",
        title="Split the classes",
        points=3,
        pose=_pose_split,
        ask=ask_split_classes,
        form="two lists of whole numbers, the classes of half A and of half B",
        judge=_judge_split,
        misconceptions={
            "overlap": "you drew each half on its own; learning a shared class again is not transfer.",
            "from one": "classes are numbered from 0.",
            "uneven": "you tossed a coin for each class; a half with more classes is a harder task.",
            "larger": "if the number is odd, half A is the smaller half: round down.",
            "unsorted": "each half is asked for sorted.",
            "drawn afresh": "a generator without a seed, or with the time as its seed, draws anew each time (and note "
            "that `seed or None` takes no seed where it is 0).",
            "global state": "you used the global generator: whatever drew from it before decides your split.",
            "hash": "Python's hash of a text differs from process to process.",
            "reseeds": "you seeded the global generator: now your split decides everything that is drawn after it.",
            "seed ignored": "your function ignores the seed, or sets one of its own.",
            "not all drawn": "every class has the same chance, whatever becomes of the others: shuffle all of them.",
            "in order": "classes often come sorted by kind or by name, so neighbours are alike: draw at random.",
        },
    ),
    Exercise(
        name="relabel",
        lesson="02",
        title="Labels within a half",
        points=2,
        pose=_pose_relabel,
        ask=ask_relabel,
        form="two arrays, the rows (int) and their labels",
        judge=_judge_relabel,
        misconceptions={
            "mask": "a mask says for each row whether it belongs; np.flatnonzero turns it into numbers of rows.",
            "floats": "rows are whole numbers (int), with which an array can be indexed.",
            "other half": "those are the images of the other half.",
            "not relabelled": "these are still the original labels; a network with K outputs needs 0 to K - 1.",
            "smallest is 0": "you subtracted the smallest class; a half has gaps, so labels above K - 1 remain.",
            "by what is there": "you numbered the classes that occur: one missing class then shifts the others.",
        },
        signatures={
            "not relabelled": lambda case: _relabelled(case, _kept(case)),
            "smallest is 0": lambda case: _relabelled(case, _kept(case) - min(case.given["half"])),
            "by what is there": lambda case: _relabelled(case, np.unique(_kept(case), return_inverse=True)[1]),
        },
    ),
    Exercise(
        name="shared_parts",
        lesson="02",
        title="How much two halves share",
        points=2,
        pose=_pose_shared,
        ask=ask_shared_parts,
        form="one number",
        judge=judge_by("your share", _shared),
        right=_shared,
        misconceptions={
            "kinds, not counts": "a part that one half uses once and the other always is hardly shared: count it.",
            "counts, not shares": "the halves may differ in size: divide each count by its half's total.",
            "one-sided": "what B has of A is not what A has of B: take the smaller share of each part.",
            "distance": "that is the part that they do not share.",
        },
        signatures={
            "kinds, not counts": tuple(lambda case, of=of: _kinds(case, of) for of in (None, 0, 1)),  # type: ignore[misc]
            "counts, not shares": tuple(
                lambda case, of=of: _common(case, of)  # type: ignore[misc]
                for of in ("count", "larger", "smaller", "both")
            ),
            "one-sided": tuple(lambda case, side=side: _one_sided(case, side) for side in (0, 1)),  # type: ignore[misc]
            "distance": lambda case: 1 - _shared(case),
        },
    ),
)
