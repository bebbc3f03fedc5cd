"""How what came out of an answer differs from what is right."""

from collections.abc import Mapping

import numpy as np

from course.asking.plain import Plain


def difference(expected: Plain, seen: Plain, tolerance: float = 1e-5) -> str:
    """The first difference of `seen` from `expected`, as in "shape (3, 4) instead of (4, 3)"; empty if there is none.

    Numbers with a decimal point may differ by `tolerance` times the largest expected number of their array, or times 1
    if that is larger. Whole numbers are exact.
    """
    if isinstance(expected, np.ndarray) or (isinstance(expected, float | int) and not isinstance(expected, bool)):
        return _of_numbers(np.asarray(expected), seen, tolerance)
    if isinstance(expected, Mapping):
        return _of_names(expected, seen, tolerance)
    if isinstance(expected, list):
        return _of_lists(expected, seen, tolerance)
    return "" if type(seen) is type(expected) and seen == expected else f"{_short(seen)} instead of {_short(expected)}"


def _of_numbers(expected: np.ndarray, seen: Plain, tolerance: float) -> str:
    if isinstance(seen, str | Mapping | bool) or seen is None:
        return f"{_short(seen)} instead of {'an array' if expected.ndim else 'a number'}"
    given = np.asarray(seen)
    if given.shape != expected.shape:
        return f"shape {given.shape} instead of {expected.shape}" if expected.ndim else f"{_short(seen)}, not a number"
    if expected.dtype.kind in "iu":
        tolerance = 0
    largest = float(np.abs(expected[np.isfinite(expected)]).max(initial=1))
    wrong = ~np.isclose(given.astype(float), expected.astype(float), rtol=0, atol=tolerance * largest, equal_nan=True)
    if not wrong.any():
        return ""
    at = np.unravel_index(int(np.argmax(wrong)), expected.shape)
    where = f" at {list(map(int, at))}" if expected.ndim else ""
    one, other = (_figures(number) for number in (given[at], expected[at]))
    return f"{one} instead of {other}{where}"


def _figures(number: np.generic) -> str:
    return str(number) if number.dtype.kind in "iub" else f"{number:.6g}"


def _of_names(expected: Mapping[str, Plain], seen: Plain, tolerance: float) -> str:
    if not isinstance(seen, Mapping):
        return f"{_short(seen)} instead of a dictionary"
    if missing := [name for name in expected if name not in seen]:
        return f"no '{missing[0]}'"
    if added := [name for name in seen if name not in expected]:
        return f"'{added[0]}', which does not belong there"
    differences = ((name, difference(value, seen[name], tolerance)) for name, value in expected.items())
    return next((f"'{name}' is {found}" for name, found in differences if found), "")


def _of_lists(expected: list[Plain], seen: Plain, tolerance: float) -> str:
    if not isinstance(seen, list):
        return f"{_short(seen)} instead of a list"
    if len(seen) != len(expected):
        items = "item" if len(expected) == 1 else "items"
        return f"{len(seen)} instead of {len(expected)} {items}: {_short(seen)}"
    differences = (difference(right, given, tolerance) for right, given in zip(expected, seen, strict=True))
    return next((f"item {index} is {found}" for index, found in enumerate(differences) if found), "")


def _short(value: Plain) -> str:
    text = repr(value.tolist() if isinstance(value, np.ndarray) else value)
    return text if len(text) <= 60 else f"{text[:57]}..."
