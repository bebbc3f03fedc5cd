"""Answers to the exercises of lesson 02, right and wrong."""

import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch

from course.exercises.planted.answer import Planted

Halves = tuple[list[int], list[int]]


def planted() -> dict[str, Planted]:
    """The answers, by exercise."""
    return {
        "split_classes": Planted(
            right=(split_by_shuffle, split_by_torch),
            wrong={
                "each half is drawn on its own": split_apart,
                "numpy's global generator draws": lambda n, seed: _halves(np.random.permutation(n).tolist()),  # noqa: NPY002
                "Python's global generator draws": lambda n, seed: _halves(random.sample(range(n), n)),
                "numpy's global generator is seeded": split_reseeding_numpy,
                "torch's global generator is seeded": split_reseeding_torch,
                "the seed is fixed": lambda n, seed: split_by_shuffle(n, 0),
                "first half, second half": lambda n, seed: _halves(list(range(n))),
                "a window moved by the seed": lambda n, seed: _halves(np.roll(np.arange(n), seed).tolist()),
                "every second class": split_alternating,
                "a coin for each class": split_by_coin,
                "classes from 1": lambda n, seed: _halves([one + 1 for one in _order(n, seed)]),
                "half B is the odd one out": lambda n, seed: split_by_shuffle(n, seed)[::-1],
                "the last class is lost": lambda n, seed: _halves(_order(n - 1, seed)),
                "drawn with replacement": split_with_replacement,
                "seed 0 is no seed": lambda n, seed: _halves(_order(n, seed or None)),  # type: ignore[arg-type]
                "the hash of a text": lambda n, seed: split_by_shuffle(n, hash(f"split {seed}")),
                "remembered by the seed alone": split_with_memory,
                "class 0 is always in half A": lambda n, seed: _halves([0, *(one + 1 for one in _order(n - 1, seed))]),
                "neighbours in pairs": split_in_pairs,
                "the seed's last digit": lambda n, seed: split_by_shuffle(n, seed % 10),
                "as they were drawn": lambda n, seed: (_order(n, seed)[: n // 2], _order(n, seed)[n // 2 :]),
                "half A is larger": lambda n, seed: (
                    sorted(_order(n, seed)[: (n + 1) // 2]),
                    sorted(_order(n, seed)[(n + 1) // 2 :]),
                ),
            },
        ),
        "relabel": Planted(
            right=(relabel_by_rank, relabel_by_table),
            wrong={
                "labels as they are": lambda labels, half: (_rows(labels, half), labels[_rows(labels, half)]),
                "minus the smallest": relabel_minus_smallest,
                "by the classes that occur": relabel_by_unique,
                "in order of appearance": relabel_by_appearance,
                "the other half": lambda labels, half: relabel_by_rank(labels, sorted({*range(40)} - {*half})),
                "a mask for rows": lambda labels, half: (np.isin(labels, half), relabel_by_rank(labels, half)[1]),
                "from 1": lambda labels, half: (_rows(labels, half), relabel_by_rank(labels, half)[1] + 1),
                "all rows": lambda labels, half: (np.arange(len(labels)), np.searchsorted(half, labels)),
                "modulo the half": lambda labels, half: (_rows(labels, half), labels[_rows(labels, half)] % len(half)),
                "sorted by label": relabel_sorted,
                "rows as numbers with a point": lambda labels, half: (
                    _rows(labels, half).astype(float),
                    relabel_by_rank(labels, half)[1],
                ),
                "class 0 is nothing": lambda labels, half: relabel_by_rank(np.where(labels, labels, -1), half),
                "nothing for no images": lambda labels, half: relabel_by_rank(labels, half) if len(labels) else None,
            },
        ),
        "shared_parts": Planted(
            right=(shared_by_counter, shared_by_distance),
            wrong={
                "kinds in common of all kinds": lambda a, b: len({*a} & {*b}) / len({*a} | {*b}),
                "kinds in common of A's": lambda a, b: len({*a} & {*b}) / len({*a}),
                "the common counts": lambda a, b: (Counter(a) & Counter(b)).total(),
                "the common counts of the larger": lambda a, b: (Counter(a) & Counter(b)).total() / max(len(a), len(b)),
                "the common counts of the smaller": lambda a, b: (
                    (Counter(a) & Counter(b)).total() / min(len(a), len(b))
                ),
                "what A finds in B": lambda a, b: sum(part in b for part in a) / len(a),
                "what B finds in A": lambda a, b: sum(part in a for part in b) / len(b),
                "the distance": lambda a, b: 1 - shared_by_counter(a, b),
                "a product of shares": shared_by_product,
                "parts within parts": lambda a, b: sum(any(part in one for one in b) for part in {*a}) / len({*a}),
                "in percent": lambda a, b: 100 * shared_by_counter(a, b),
                "all or nothing": lambda a, b: float(bool({*a} & {*b})),
            },
        ),
    }


def _order(n: int, seed: int) -> list[int]:
    return [int(one) for one in np.random.default_rng(seed).permutation(n)]


def _halves(order: Sequence[int]) -> Halves:
    middle = len(order) // 2
    return sorted(order[:middle]), sorted(order[middle:])


def split_by_shuffle(n: int, seed: int) -> Halves:
    """By Python's own generator."""
    order = list(range(n))
    random.Random(seed).shuffle(order)
    return _halves(order)


def split_by_torch(n: int, seed: int) -> object:
    """By a generator of torch, as arrays."""
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()
    return np.array(sorted(order[: n // 2]), dtype=int), np.array(sorted(order[n // 2 :]), dtype=int)


def split_with_memory(n: int, seed: int, known: dict[int, Halves] = {}) -> Halves:  # noqa: B006
    """Wrong."""
    return known.setdefault(seed, split_by_shuffle(n, seed))


def split_in_pairs(n: int, seed: int) -> Halves:
    """Wrong: of each two neighbours one goes to A."""
    heads = np.random.default_rng(seed).integers(0, 2, n // 2)
    half_a = [2 * pair + int(head) for pair, head in enumerate(heads)]
    return half_a, sorted({*range(n)} - {*half_a})


def split_apart(n: int, seed: int) -> Halves:
    """Wrong."""
    generator = np.random.default_rng(seed)
    half_a, half_b = (generator.choice(n, size, replace=False) for size in (n // 2, n - n // 2))
    return sorted(half_a.tolist()), sorted(half_b.tolist())


def split_with_replacement(n: int, seed: int) -> Halves:
    """Wrong."""
    half_a = sorted(np.random.default_rng(seed).choice(n, n // 2).tolist())
    return half_a, sorted({*range(n)} - {*half_a})


def split_reseeding_numpy(n: int, seed: int) -> Halves:
    """Wrong."""
    np.random.seed(seed)  # noqa: NPY002
    return _halves(np.random.permutation(n).tolist())  # noqa: NPY002


def split_reseeding_torch(n: int, seed: int) -> Halves:
    """Wrong."""
    torch.manual_seed(seed)
    return _halves(torch.randperm(n).tolist())


def split_alternating(n: int, seed: int) -> Halves:
    """Wrong."""
    half_a = list(range(seed % 2 if n % 2 == 0 else 1, n, 2))
    return half_a, sorted({*range(n)} - {*half_a})


def split_by_coin(n: int, seed: int) -> Halves:
    """Wrong."""
    heads = np.random.default_rng(seed).random(n) < 0.5
    return np.flatnonzero(heads).tolist(), np.flatnonzero(~heads).tolist()


def _rows(labels: np.ndarray, half: list[int]) -> np.ndarray:
    return np.flatnonzero(np.isin(labels, half))


def relabel_by_rank(labels: np.ndarray, half: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """By the place in the list, one label at a time."""
    rows = [row for row, label in enumerate(labels) if label in half]
    return np.array(rows, dtype=int), np.array([half.index(labels[row]) for row in rows], dtype=int)


def relabel_by_table(labels: np.ndarray, half: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """By a table of all classes."""
    table = np.full(max([*half, *labels.tolist()]) + 1, -1)
    table[half] = np.arange(len(half))
    return np.flatnonzero(table[labels] >= 0), table[labels][table[labels] >= 0]


def relabel_minus_smallest(labels: np.ndarray, half: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Wrong."""
    rows = _rows(labels, half)
    return rows, labels[rows] - half[0]


def relabel_by_unique(labels: np.ndarray, half: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Wrong."""
    rows = _rows(labels, half)
    return rows, np.unique(labels[rows], return_inverse=True)[1]


def relabel_by_appearance(labels: np.ndarray, half: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Wrong."""
    rows = _rows(labels, half)
    order = list(dict.fromkeys(labels[rows].tolist()))
    return rows, np.array([order.index(label) for label in labels[rows]], dtype=int)


def relabel_sorted(labels: np.ndarray, half: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Wrong."""
    rows, within = relabel_by_rank(labels, half)
    order = np.argsort(within, kind="stable")
    return rows[order], within[order]


def shared_by_counter(a: list[str], b: list[str]) -> float:
    """Name by name."""
    return sum(min(a.count(name) / len(a), b.count(name) / len(b)) for name in {*a, *b})


def shared_by_distance(a: list[str], b: list[str]) -> float:
    """From the total variation distance."""
    return 1 - sum(abs(a.count(name) / len(a) - b.count(name) / len(b)) for name in {*a, *b}) / 2


def shared_by_product(a: list[str], b: list[str]) -> float:
    """Wrong."""
    return sum(a.count(name) / len(a) * b.count(name) / len(b) for name in {*a, *b})
