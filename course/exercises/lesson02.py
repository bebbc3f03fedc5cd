"""Exercises of lesson 02: two halves."""

from typing import Any

import numpy as np

from course.asking.lesson02 import ask_relabel, ask_shared_parts, ask_split_classes
from course.exercises.difference import difference
from course.exercises.exercise import Case, Exercise, Finding

MANY = 10  # classes: with this many or more, two seeds hardly ever draw the same half


def _pose_split(generator: np.random.Generator) -> tuple[Case, ...]:
    counts = (10, 7, 40, int(generator.integers(11, 40)))
    seeds = [generator.choice(1000, 6, replace=False).tolist() for _ in counts]
    return tuple(
        Case(f"{count} classes and the seeds {drawn}", {"n_classes": count, "seeds": drawn})
        for count, drawn in zip(counts, seeds, strict=True)
    )


def _judge_split(case: Case, value: Any) -> Finding | None:
    n_classes, seeds = case.given["n_classes"], case.given["seeds"]
    first, second = value["drawn"]
    for seed, (half_a, half_b) in zip(seeds, first, strict=True):
        if found := _fault_of_halves(half_a, half_b, n_classes):
            return Finding(f"seed {seed}: {found.seen}", found.misconception)
    if first != second:
        return Finding("the same seed gave other halves after something else had drawn random numbers.", "global state")
    if value["touched"]:
        return Finding("the call changed the global generator.", "reseeds")
    if all(halves == first[0] for halves in first):
        return Finding(f"all {len(seeds)} seeds gave the same halves.", "seed ignored")
    if n_classes >= MANY and all(_in_order(half_a, n_classes) for half_a, _ in first):
        return Finding(f"half A follows the order of the classes: {first[0][0]}.", "in order")
    return None


def _fault_of_halves(half_a: list[int], half_b: list[int], n_classes: int) -> Finding | None:
    if both := sorted(set(half_a) & set(half_b)):
        return Finding(f"the classes {both} are in both halves.", "overlap")
    every = sorted(half_a + half_b)
    if every == list(range(1, n_classes + 1)):
        return Finding(f"there is a class {n_classes} and no class 0.", "from one")
    if every != list(range(n_classes)):
        return Finding(f"together the halves hold {every}, not each of 0 to {n_classes - 1} once.")
    if len(half_a) != n_classes // 2:
        return Finding(f"half A has {len(half_a)} of the {n_classes} classes instead of {n_classes // 2}.", "uneven")
    return None


def _in_order(half: list[int], n_classes: int) -> bool:
    """Whether a half is a row of neighbours, or every second class."""
    inside = np.isin(np.arange(n_classes), half)
    changes = int((inside != np.roll(inside, 1)).sum())
    return changes <= 2 or changes >= n_classes - 1


def _pose_relabel(generator: np.random.Generator) -> tuple[Case, ...]:
    cases = []
    for count, n_images in ((6, 12), (10, 30), (40, 50), (8, 0)):
        half = np.sort(generator.choice(count, count // 2, replace=False)).tolist()
        labels = generator.integers(0, count, n_images)
        if n_images == 30:
            labels = labels[labels != half[1]]  # no image of one class of the half
        name = f"{len(labels)} images of {count} classes, half {half}"
        cases.append(Case(name, {"labels": labels, "half": half}))
    return tuple(cases)


def _judge_relabel(case: Case, value: Any) -> Finding | None:
    given, half = case.given["labels"], case.given["half"]
    rows = np.flatnonzero(np.isin(given, half))
    if found := difference(rows, value["rows"]):
        others = np.flatnonzero(~np.isin(given, half))
        return Finding(f"your rows: {found}.", "" if difference(others, value["rows"]) else "other half")
    kept, seen = given[rows], value["labels"]
    if not (found := difference(np.searchsorted(half, kept), seen)):
        return None
    wrong = {
        "not relabelled": kept,
        "smallest is 0": kept - min(half),
        "by what is there": np.unique(kept, False, True)[1],
    }
    named = (key for key, labels in wrong.items() if not difference(labels, seen))
    return Finding(f"your labels: {found}.", next(named, ""))


def _pose_shared(generator: np.random.Generator) -> tuple[Case, ...]:
    names = [f"{kind}/{part}" for kind in ("outline", "texture") for part in ("a", "b", "c", "d")]
    often, seldom, other = generator.choice(names, 3, replace=False).tolist()
    given = {"parts_a": [often] * 6 + [seldom] * 2, "parts_b": [often] + [other] * 5 + [seldom] * 4}
    cases = [Case(f"6 x {often}, 2 x {seldom} and 1 x {often}, 5 x {other}, 4 x {seldom}", given)]
    for size_a, size_b in ((12, 12), (20, 10), (5, 15), (9, 9)):
        parts_a = generator.choice(names[: 4 + size_a % 4], size_a).tolist()
        parts_b = generator.choice(names[2:], size_b).tolist()
        if (size_a, size_b) == (9, 9):
            parts_b = [f"{name}'" for name in parts_a]
        name = f"{size_a} parts of {len(set(parts_a))} kinds and {size_b} of {len(set(parts_b))}"
        cases.append(Case(name, {"parts_a": parts_a, "parts_b": parts_b}))
    return tuple(cases)


def _judge_shared(case: Case, value: Any) -> Finding | None:
    a, b = case.given["parts_a"], case.given["parts_b"]
    names = sorted({*a, *b})
    counts = np.array([[parts.count(name) for name in names] for parts in (a, b)])
    shares = counts / counts.sum(axis=1, keepdims=True)
    if not (found := difference(float(shares.min(axis=0).sum()), value)):
        return None
    common = len(set(a) & set(b))
    wrong = {
        "kinds, not counts": (common / len(names), common / len(set(a)), common / len(set(b))),
        "counts, not shares": (float(counts.min(axis=0).sum()), counts.min(axis=0).sum() / counts.sum(axis=1).max()),
        "one-sided": (float(shares[0][counts[1] > 0].sum()), float(shares[1][counts[0] > 0].sum())),
        "distance": (1 - float(shares.min(axis=0).sum()),),
    }
    named = (key for key, values in wrong.items() if any(not difference(float(one), value) for one in values))
    return Finding(f"your share: {found}.", next(named, ""))


EXERCISES = (
    Exercise(
        name="split_classes",
        lesson="02",
        title="Split the classes",
        points=3,
        pose=_pose_split,
        ask=ask_split_classes,
        judge=_judge_split,
        misconceptions={
            "overlap": "you drew each half on its own; learning a shared class again is not transfer.",
            "from one": "classes are numbered from 0.",
            "uneven": "you tossed a coin for each class; a half with more classes is a harder task.",
            "global state": "you used the global generator: whatever drew from it before decides your split.",
            "reseeds": "you seeded the global generator: now your split decides everything that is drawn after it.",
            "seed ignored": "your function ignores the seed, or sets one of its own.",
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
        judge=_judge_relabel,
        misconceptions={
            "other half": "those are the images of the other half.",
            "not relabelled": "these are still the original labels; a network with K outputs needs 0 to K - 1.",
            "smallest is 0": "you subtracted the smallest class; a half has gaps, so labels above K - 1 remain.",
            "by what is there": "you numbered the classes that occur: one missing class then shifts the others.",
        },
    ),
    Exercise(
        name="shared_parts",
        lesson="02",
        title="How much two halves share",
        points=2,
        pose=_pose_shared,
        ask=ask_shared_parts,
        judge=_judge_shared,
        misconceptions={
            "kinds, not counts": "a part that one half uses once and the other always is hardly shared: count it.",
            "counts, not shares": "the halves may differ in size: divide each count by its half's total.",
            "one-sided": "what B has of A is not what A has of B: take the smaller share of each part.",
            "distance": "that is the part that they do not share.",
        },
    ),
)
