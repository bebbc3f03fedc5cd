"""How the exercises of lesson 08 are asked."""

from collections.abc import Mapping
from typing import Any

from course.asking.frame import frame


def ask_split_interval(answer: Any, given: Mapping[str, Any]) -> object:
    """The two bounds."""
    interval = answer(frame(given["table"]))
    return None if interval is None else [float(bound) for bound in interval]


def ask_no_difference(answer: Any, given: Mapping[str, Any]) -> object:
    """The word for each interval."""
    said = [answer(*interval) for interval in given["intervals"]]
    return None if all(one is None for one in said) else said


def ask_further_splits(answer: Any, given: Mapping[str, Any]) -> object:
    """The number of further splits."""
    return answer(list(given["differences"]), given["half_width"])
