"""The forms in which answers come: what a plain reading of an exercise allows is brought into one, the rest refused.

A list may be a tuple, an array, a tensor, a column of pandas or a generator; a number may be of any library. All raise
FormError for anything else, and its message says what came.
"""

import sys
from collections.abc import Iterator, KeysView, Mapping, ValuesView
from itertools import islice
from typing import Any

import numpy as np

from course.asking.plain import FormError, Plain, as_array, plain, what

MOST = 100_000  # items; a generator may never end


class RaisedError(Exception):
    """An error of an answer's own code, which is the cause of this one."""


def number(value: object) -> float:
    """One number, as it is: no text, no truth value, no list."""
    array = as_array(value)
    one = array.item() if array is not None and array.ndim == 0 else value
    found = None if isinstance(one, str | bytes | bool | np.bool_) else _attempt(one)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise FormError(what(value))
    return found


def _attempt(value: object) -> Plain:
    try:
        return plain(value)
    except FormError:
        return None


def whole(value: object) -> int:
    """A whole number, and not one with a decimal point."""
    found = number(value)
    if not isinstance(found, int):
        raise FormError(f"{found!r}, which is no whole number")
    return found


def listed(value: object) -> list[Any]:
    """The items of a list, or of what can stand for one; those of a set are sorted."""
    if isinstance(value, set | frozenset):
        return sorted(value, key=lambda item: (str(type(item)), item))
    if isinstance(value, Iterator):
        return _taken(value)
    array = as_array(value)
    if array is not None and array.ndim:
        return list(array)
    if isinstance(value, list | tuple | range) or _is_column(value):
        return _taken(iter(value))  # type: ignore[call-overload]
    if isinstance(value, KeysView | ValuesView):
        return list(value)
    raise FormError(what(value))


def _taken(items: Iterator[Any]) -> list[Any]:
    try:
        found = list(islice(items, MOST + 1))
    except Exception as problem:  # the code of a generator runs only now
        raise RaisedError from problem
    if len(found) > MOST:
        raise FormError(f"more than {MOST:,} items")
    return found


def _is_column(value: object) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.Series | pandas.Index)


def numbers(value: object, count: int = 0) -> list[float]:
    """Numbers in their order; `count` of them, if that is given."""
    items = listed(value)
    if count and len(items) != count:
        raise FormError(what(value))
    return [number(item) for item in items]


def wholes(value: object) -> list[int]:
    """Whole numbers in their order. A mask of truth values is refused by that name."""
    items = listed(value)
    if items and all(isinstance(item, bool | np.bool_) for item in items):
        raise FormError(f"a mask of {len(items)} truth values instead of numbers")
    return [whole(item) for item in items]


def truths(value: object) -> list[Plain]:
    """Truth values in their order; 0 and 1 stand for them too. Other numbers are left as they are."""
    items = [number(item) if not isinstance(item, bool | np.bool_) else bool(item) for item in _bare_truths(value)]
    return [bool(item) if item in (0, 1) else item for item in items]


def _bare_truths(value: object) -> list[Any]:
    return [item.item() if isinstance(item, np.generic) else item for item in listed(value)]


def texts(value: object) -> list[str]:
    """Texts in their order."""
    items = [item.item() if isinstance(item, np.str_) else item for item in listed(value)]
    for item in items:
        if not isinstance(item, str):
            raise FormError(f"{what(value)} that holds {what(item)}")
    return [str.__str__(item) for item in items]


def array(value: object) -> np.ndarray:
    """Numbers as an array of any shape: of an array, a tensor, a column or nested lists."""
    if isinstance(value, str | bytes | Mapping):
        raise FormError(what(value))
    found = as_array(value)
    if found is None and (_is_column(value) or isinstance(value, list | tuple | Iterator)):
        items = listed(value)
        try:
            found = np.asarray(items)
        except Exception as problem:  # rows of unequal length, or odd objects
            raise FormError(what(value)) from problem
    if found is None or found.dtype.kind not in "biuf":
        raise FormError(what(value))
    return found
