"""Plain data: numbers, text, lists, dictionaries and arrays, as they cross from a sandbox; no code, no pickles."""

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
    """A value as plain data: tensors as arrays, tuples and sets as lists. Raises DataError for anything else."""
    if depth > DEEPEST:
        raise DataError(f"lists within lists, more than {DEEPEST} deep, are no answer.")
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
    raise DataError(f"an object of the type {type(value).__name__} came out, where numbers, text or tensors should.")


def tensors(value: Plain) -> object:
    """A copy of plain data in which the arrays are tensors."""
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
    """What `encode` wrote. Raises DataError for bytes that are anything else: they may come from anyone."""
    try:
        arrays = load(data)
        length = int.from_bytes(data[:8], "little")
        header = msgspec.json.decode(data[8 : 8 + length], type=dict[str, dict[str, object]])
        return _with_arrays(msgspec.json.decode(str(header["__metadata__"][_TREE])), arrays)
    except (SafetensorError, msgspec.DecodeError, KeyError, ValueError, TypeError, RecursionError) as problem:
        raise DataError(f"the answer's file cannot be read: {problem}.") from problem


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
