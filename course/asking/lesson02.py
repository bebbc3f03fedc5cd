"""How the exercises of lesson 02 are asked."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from course.asking.chance import Chance


def ask_split_classes(answer: Any, given: Mapping[str, Any]) -> object:
    """The halves that every seed gives, drawn twice, with the global generators in different states."""
    n_classes, seeds = given["n_classes"], given["seeds"]
    drawn, touched = [], False
    with Chance() as chance:
        for state in (1, 2):
            chance.set(state)
            before = chance.state()
            drawn.append([answer(n_classes, seed) for seed in seeds])
            touched = touched or chance.state() != before
    if any(halves is None for halves in drawn[0]):
        return None
    return {
        "drawn": [[[sorted(map(int, half)) for half in halves] for halves in turn] for turn in drawn],
        "touched": touched,
    }


def ask_relabel(answer: Any, given: Mapping[str, Any]) -> object:
    """The rows and their labels."""
    found = answer(given["labels"].copy(), list(given["half"]))
    if found is None:
        return None
    rows, labels = found
    return {"rows": np.asarray(rows), "labels": np.asarray(labels)}


def ask_shared_parts(answer: Any, given: Mapping[str, Any]) -> object:
    """The share."""
    return answer(list(given["parts_a"]), list(given["parts_b"]))


def ask_hold_out(answer: Any, given: Mapping[str, Any]) -> object:
    """Which images are held out, alone and after other images have been put among them."""
    images, share = [bytes.fromhex(image) for image in given["images"]], given["share"]
    alone = answer(list(images), share)
    if alone is None:
        return None
    among = [other for image in images for other in (b"new" + image, image)]
    return {"alone": [bool(held) for held in alone], "among": [bool(held) for held in answer(among, share)[1::2]]}


def ask_find_leaks(answer: Any, given: Mapping[str, Any]) -> object:
    """The rows."""
    found = answer(given["train"].copy(), given["valid"].copy())
    return None if found is None else sorted(int(row) for row in found)
