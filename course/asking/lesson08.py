"""How the exercises of lesson 08 are asked."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from course.asking.forms import number, numbers
from course.asking.frame import frame
from course.asking.plain import FormError, what


def ask_split_interval(answer: Any, given: Mapping[str, Any]) -> object:
    """The two bounds."""
    interval = answer(frame(given["table"], given["index"]))
    return None if interval is None else numbers(interval, 2)


def ask_no_difference(answer: Any, given: Mapping[str, Any]) -> object:
    """The word for one interval."""
    said = answer(given["low"], given["high"], given["margin"])
    if isinstance(said, np.ndarray) and said.ndim == 0:
        said = said.item()
    if said is not None and not isinstance(said, str):
        raise FormError(what(said))
    return said


def ask_further_splits(answer: Any, given: Mapping[str, Any]) -> object:
    """The number of further splits."""
    found = answer(list(given["differences"]), given["half_width"])
    return None if found is None else number(found)
