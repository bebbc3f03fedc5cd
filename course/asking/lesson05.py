"""How the exercises of lesson 05 are asked."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from course.asking.frame import frame


def ask_treatment(answer: Any, given: Mapping[str, Any]) -> object:
    """The treatment."""
    return answer(given["label"])


def ask_paired_differences(answer: Any, given: Mapping[str, Any]) -> object:
    """The column of numbers."""
    column = answer(frame(given["table"]))
    return None if column is None else np.asarray(column, dtype=float)


def ask_falls_at(answer: Any, given: Mapping[str, Any]) -> object:
    """The n."""
    return answer(frame(given["table"]))
