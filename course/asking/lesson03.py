"""How the exercises of lesson 03 are asked."""

from collections.abc import Mapping
from typing import Any


def ask_output_size(answer: Any, given: Mapping[str, Any]) -> object:
    """The size."""
    return answer(*(given[name] for name in ("size", "kernel", "stride", "padding", "pool")))


def ask_layer_cost(answer: Any, given: Mapping[str, Any]) -> object:
    """Parameters and multiplications."""
    return answer(*(given[name] for name in ("filters", "inputs", "kernel", "size", "groups")))


def ask_receptive_field(answer: Any, given: Mapping[str, Any]) -> object:
    """The side."""
    return answer([tuple(layer) for layer in given["layers"]])


def ask_nearest_mean(answer: Any, given: Mapping[str, Any]) -> object:
    """The classes."""
    return answer(*(given[name].copy() for name in ("train", "labels", "features")))


def ask_top1_with_error(answer: Any, given: Mapping[str, Any]) -> object:
    """Accuracy and standard error."""
    return answer(given["logits"].copy(), given["labels"].copy())
