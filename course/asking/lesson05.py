"""How the exercises of lesson 05 are asked."""

from collections.abc import Mapping
from typing import Any

from course.asking.forms import array, number
from course.asking.frame import frame
from course.asking.plain import FormError, what


def ask_treatment(answer: Any, given: Mapping[str, Any]) -> object:
    """The treatment."""
    found = answer(given["label"])
    if found is not None and not isinstance(found, str):
        raise FormError(what(found))
    return found


def ask_paired_differences(answer: Any, given: Mapping[str, Any]) -> object:
    """The column of numbers."""
    column = answer(frame(given["table"], given["index"]))
    if column is None:
        return None
    found = array(column).astype(float)
    if found.ndim != 1:
        raise FormError(what(column))
    return found


def ask_falls_at(answer: Any, given: Mapping[str, Any]) -> object:
    """The n."""
    found = answer(frame(given["table"], given["index"]))
    return None if found is None else number(found)
