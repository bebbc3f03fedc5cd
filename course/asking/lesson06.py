"""How the exercises of lesson 06 are asked."""

from collections.abc import Mapping
from typing import Any

from course.asking.forms import number, truths
from course.asking.frame import frame


def ask_random_std(answer: Any, given: Mapping[str, Any]) -> object:
    """The standard deviation."""
    found = answer(tuple(given["shape"]))
    return None if found is None else number(found)


def ask_never_learned(answer: Any, given: Mapping[str, Any]) -> object:
    """For each network, whether it never learned."""
    found = answer(given["losses"].tolist(), given["classes"])
    return None if found is None else truths(found)


def ask_cost_of_distance(answer: Any, given: Mapping[str, Any]) -> object:
    """The difference in points."""
    cost = answer(frame(given["table"], given["index"]))
    return None if cost is None else number(cost)
