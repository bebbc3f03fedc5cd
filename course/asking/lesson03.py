"""How the exercises of lesson 03 are asked."""

from collections.abc import Mapping
from typing import Any

from course.asking.forms import array, number, numbers


def ask_output_size(answer: Any, given: Mapping[str, Any]) -> object:
    """The size."""
    size = answer(*(given[name] for name in ("size", "kernel", "stride", "padding", "pool")))
    return None if size is None else number(size)


def ask_layer_cost(answer: Any, given: Mapping[str, Any]) -> object:
    """Parameters and multiplications."""
    cost = answer(*(given[name] for name in ("filters", "inputs", "kernel", "size", "groups")))
    return None if cost is None else numbers(cost, 2)


def ask_receptive_field(answer: Any, given: Mapping[str, Any]) -> object:
    """The side."""
    side = answer([tuple(layer) for layer in given["layers"]])
    return None if side is None else number(side)


def ask_nearest_mean(answer: Any, given: Mapping[str, Any]) -> object:
    """The classes."""
    found = answer(*(given[name].copy() for name in ("train", "labels", "features")))
    return None if found is None else array(found)


def ask_top1_with_error(answer: Any, given: Mapping[str, Any]) -> object:
    """Accuracy and standard error."""
    found = answer(given["logits"].copy(), given["labels"].copy())
    return None if found is None else numbers(found, 2)
