"""How the exercises of lesson 02 are asked."""

import builtins
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from course.asking.chance import Chance
from course.asking.forms import array, listed, number, truths, wholes
from course.asking.plain import FormError, what


def ask_split_classes(answer: Any, given: Mapping[str, Any]) -> object:
    """The halves that every seed gives, in four turns.

    In the second turn the global generators are in another state. In the third all is as in the first. In the fourth
    Python's own hash of a text is another one, as it is in another process.
    """
    n_classes, seeds = given["n_classes"], given["seeds"]
    drawn, touched = [], False
    with Chance() as chance:
        for state, other in ((1, False), (2, False), (1, False), (1, True)):
            chance.set(state)
            before = chance.state()
            with _another_process(other):
                drawn.append([answer(n_classes, seed) for seed in seeds])
            touched = touched or chance.state() != before
    if any(halves is None for halves in drawn[0]):
        return None
    return {"turns": [[_halves(halves) for halves in turn] for turn in drawn], "touched": touched}


def _halves(found: object) -> list[list[int]]:
    halves = listed(found)
    if len(halves) != 2:
        raise FormError(what(found))
    return [wholes(half) for half in halves]


@contextmanager
def _another_process(other: bool) -> Iterator[None]:
    """Give texts and bytes another hash, as Python does in each process unless it is told otherwise."""
    real = builtins.hash

    def salted(value: object) -> int:
        return real(value) if isinstance(value, int | float) else real(("another process", value))

    if other:
        builtins.hash = salted
    try:
        yield
    finally:
        builtins.hash = real


def ask_relabel(answer: Any, given: Mapping[str, Any]) -> object:
    """The rows and their labels."""
    found = answer(given["labels"].copy(), list(given["half"]))
    if found is None:
        return None
    pair = listed(found)
    if len(pair) != 2:
        raise FormError(what(found))
    rows, labels = (array(one) for one in pair)
    return {"rows": rows, "labels": labels}


def ask_shared_parts(answer: Any, given: Mapping[str, Any]) -> object:
    """The share."""
    share = answer(list(given["parts_a"]), list(given["parts_b"]))
    return None if share is None else number(share)


def ask_hold_out(answer: Any, given: Mapping[str, Any]) -> object:
    """Which images are held out, alone and after other images have been put among them."""
    images, share = [bytes.fromhex(image) for image in given["images"]], given["share"]
    alone = answer(list(images), share)
    if alone is None:
        return None
    among = [other for image in images for other in (b"new" + image, image)]
    return {"alone": truths(alone), "among": truths(answer(among, share))[1::2]}


def ask_find_leaks(answer: Any, given: Mapping[str, Any]) -> object:
    """The rows, in the order in which they came; a mask as truth values."""
    found = answer(given["train"].copy(), given["valid"].copy())
    if found is None:
        return None
    rows = listed(found)
    mask = bool(rows) and all(isinstance(row, bool | np.bool_) for row in rows)
    return [bool(row) for row in rows] if mask else wholes(rows)
