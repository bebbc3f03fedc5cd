"""Plain data, all that leaves a sandbox: numbers, text, lists, dictionaries and arrays; no code and no pickles.

`difference` compares what came out of an answer with what is right.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import TypeAlias

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from transferkit.errors import DataError

Plain: TypeAlias = "bool | int | float | str | NDArray[np.generic] | list[Plain] | dict[str, Plain] | None"
DEEPEST = 20
_ARRAY, _FLOAT, _TREE = "\0array", "\0float", "tree"


def plain(value: object, depth: int = 0) -> Plain:
    """A value as plain data: tensors as arrays, tuples and sets as lists. Raises DataError for other objects."""
    if depth > DEEPEST:
        raise DataError(f"lists within lists, more than {DEEPEST} deep, cannot be an answer.")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, torch.Tensor):
        return value.detach().to("cpu", torch.float32 if value.dtype == torch.bfloat16 else None).numpy().copy()
    if isinstance(value, np.generic):
        return plain(value.item(), depth)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return value.copy()
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return [plain(item, depth + 1) for item in sorted(value, key=str)]
    if isinstance(value, list | tuple | range):
        return [plain(item, depth + 1) for item in value]
    raise DataError(f"an object of the type {type(value).__name__} came out instead of numbers, text or tensors.")


def tensors(value: Plain) -> object:
    """A copy of plain data with tensors for arrays."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, dict):
        return {key: tensors(item) for key, item in value.items()}
    if isinstance(value, list):
        return [tensors(item) for item in value]
    return deepcopy(value)


def encode(value: Plain) -> bytes:
    """Plain data as the bytes of a safetensors file, whose metadata holds the tree around the arrays."""
    arrays: dict[str, NDArray[np.generic]] = {}
    tree = msgspec.json.encode(_without_arrays(value, arrays)).decode()
    return bytes(save(arrays, metadata={_TREE: tree}))


def decode(data: bytes) -> Plain:
    """What `encode` wrote. Raises DataError for any other bytes: they may come from anyone."""
    try:
        arrays = load(data)
        length = int.from_bytes(data[:8], "little")
        header = msgspec.json.decode(data[8 : 8 + length], type=dict[str, dict[str, object]])
        return _with_arrays(msgspec.json.decode(str(header["__metadata__"][_TREE])), arrays)
    except (SafetensorError, msgspec.DecodeError, KeyError, ValueError, TypeError, RecursionError) as problem:
        raise DataError(f"the answer's file cannot be read: {problem}.") from problem


def difference(expected: Plain, seen: Plain, tolerance: float = 1e-5) -> str:
    """The first difference of `seen` from `expected`, as in "shape (3, 4) instead of (4, 3)"; empty if there is none.

    Numbers may differ by `tolerance` times the largest expected number of their array, or times 1 if that is larger.
    """
    if isinstance(expected, np.ndarray) or (isinstance(expected, float | int) and not isinstance(expected, bool)):
        return _of_numbers(np.asarray(expected), seen, tolerance)
    if isinstance(expected, Mapping):
        return _of_names(expected, seen, tolerance)
    if isinstance(expected, list):
        return _of_lists(expected, seen, tolerance)
    return "" if type(seen) is type(expected) and seen == expected else f"{_short(seen)} instead of {_short(expected)}"


def _without_arrays(value: Plain, arrays: dict[str, NDArray[np.generic]]) -> object:
    if isinstance(value, np.ndarray):
        name = str(len(arrays))
        arrays[name] = np.array(value, order="C")
        return {_ARRAY: name}
    if isinstance(value, dict):
        return {key: _without_arrays(item, arrays) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_arrays(item, arrays) for item in value]
    if isinstance(value, float):
        return {_FLOAT: repr(value)}  # JSON has neither NaN nor infinity
    return value


def _with_arrays(value: object, arrays: dict[str, NDArray[np.generic]]) -> Plain:
    if isinstance(value, dict):
        if _ARRAY in value:
            return arrays[value[_ARRAY]]
        if _FLOAT in value:
            return float(value[_FLOAT])
        return {str(key): _with_arrays(item, arrays) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_arrays(item, arrays) for item in value]
    assert value is None or isinstance(value, bool | int | float | str)
    return value


def _of_numbers(expected: np.ndarray, seen: Plain, tolerance: float) -> str:
    if isinstance(seen, str | Mapping | bool) or seen is None:
        return f"{_short(seen)} instead of {'an array' if expected.ndim else 'a number'}"
    given = np.asarray(seen)
    if given.shape != expected.shape:
        return f"shape {given.shape} instead of {expected.shape}" if expected.ndim else f"{_short(seen)}, not a number"
    largest = float(np.abs(expected[np.isfinite(expected)]).max(initial=1))
    wrong = ~np.isclose(given.astype(float), expected.astype(float), rtol=0, atol=tolerance * largest)
    if not wrong.any():
        return ""
    at = np.unravel_index(int(np.argmax(wrong)), expected.shape)
    where = f" at {list(map(int, at))}" if expected.ndim else ""
    return f"{given[at]:.6g} instead of {expected[at]:.6g}{where}"


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
        return f"{len(seen)} instead of {len(expected)} items: {_short(seen)}"
    differences = (difference(right, given, tolerance) for right, given in zip(expected, seen, strict=True))
    return next((f"item {index} is {found}" for index, found in enumerate(differences) if found), "")


def _short(value: Plain) -> str:
    text = repr(value.tolist() if isinstance(value, np.ndarray) else value)
    return text if len(text) <= 60 else f"{text[:57]}..."
