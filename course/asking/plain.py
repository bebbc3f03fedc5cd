"""Plain data, all that leaves a sandbox: numbers, text, lists, dictionaries and arrays; no code and no pickles."""

import sys
from collections.abc import Mapping
from decimal import Decimal
from numbers import Real
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from transferkit.errors import DataError

Plain: TypeAlias = "bool | int | float | str | NDArray[np.generic] | list[Plain] | dict[str, Plain] | None"
DEEPEST = 20
LONGEST_TEXT = 40  # characters of a text that a sentence quotes


class FormError(DataError):
    """What an answer returned has not the form that was asked for; the message says what it is, as in "a text"."""


_ARRAY, _FLOAT, _TREE = "\0array", "\0float", "tree"


def plain(value: object, depth: int = 0) -> Plain:
    """A value as plain data: tensors as arrays, tuples and sets as lists. Raises FormError for other objects.

    Of a number, a text or an array whose class adds to Python's or NumPy's own, only the value is taken.
    """
    if depth > DEEPEST:
        raise FormError(f"lists within lists, more than {DEEPEST} deep")
    if value is None or isinstance(value, bool | int | float | str):
        return _bare(value)
    if isinstance(value, np.generic):
        return plain(value.item(), depth)
    if isinstance(value, Real | Decimal):  # a Fraction, for instance
        return float(value)
    if (array := as_array(value)) is not None and array.dtype.kind in "biuf":
        return array.copy()
    if array is not None and array.dtype.kind == "U":
        return plain(array.tolist(), depth)
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return [plain(item, depth + 1) for item in sorted(value, key=str)]
    if isinstance(value, list | tuple | range):
        return [plain(item, depth + 1) for item in value]
    raise FormError(what(value))


def what(value: object) -> str:
    """What a value is, in a few words, for a sentence: "a list of 3", "the text 'AnB'", "the number 4"."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, str):
        text = str.__str__(value)
        return f"the text {text if len(text) <= LONGEST_TEXT else f'{text[: LONGEST_TEXT - 3]}...'!r}"
    if isinstance(value, int | float):
        return f"the number {_bare(value)!s:.20}"
    if type(value) in (list, tuple, set, dict):
        return f"a {type(value).__name__} of {len(value)}"  # type: ignore[arg-type]
    if type(value) is np.ndarray:
        return f"an array of shape {value.shape}"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}" if name.isidentifier() else "an object"


def _bare(value: float | str | None) -> Plain:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int.__int__(value)
    return float.__float__(value) if isinstance(value, float) else str.__str__(value)


def as_array(value: object) -> NDArray[np.generic] | None:
    """The values of an array or a tensor, past all that their classes may override; None for anything else."""
    if isinstance(value, np.ndarray):
        return np.ndarray.view(value, np.ndarray)
    torch = sys.modules.get("torch")  # where it was never imported there are no tensors
    if torch is None or not isinstance(value, torch.Tensor):
        return None
    if type(value) not in (torch.Tensor, torch.nn.Parameter):
        raise FormError(what(value))
    bare = torch.Tensor.detach(value)
    half = torch.float32 if bare.dtype == torch.bfloat16 else None
    found: NDArray[np.generic] = torch.Tensor.numpy(torch.Tensor.to(bare, "cpu", half))
    return found


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
