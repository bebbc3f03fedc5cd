"""Read the pickles of CIFAR without running any function that they name.

A pickle is a program that may call any function. Here it may only build lists, dictionaries, strings and numbers. Where
it asks for NumPy's arrays it gets stand-ins that hold the values; these become arrays after a check.
"""

import io
import pickle
from typing import Any

import numpy as np
import numpy.typing as npt

from transferkit.errors import DataError


class HeldType:
    """Stands in for numpy.dtype, and holds only its name."""

    def __init__(self, name: object = "", *_: object) -> None:
        self.name = name.decode("latin-1") if isinstance(name, bytes) else name

    def __setstate__(self, state: object) -> None:
        """Ignore byte order and the like, which single bytes do not need."""


class HeldArray:
    """Stands in for numpy.ndarray, and holds what was pickled until `array` checks it."""

    def __init__(self, *_: object) -> None:
        self.state: Any = ()

    def __setstate__(self, state: object) -> None:
        self.state = state

    def array(self) -> npt.NDArray[np.uint8]:
        """The array, if it is two-dimensional and of bytes. Raises DataError for any other."""
        match self.state:
            case (_, (int(rows), int(columns)), HeldType(name="u1" | "uint8"), False, bytes(content)) if (
                rows * columns == len(content)
            ):
                return np.frombuffer(content, np.uint8).reshape(rows, columns)
        raise DataError("the pickle's array is not one of bytes in two dimensions: this is not CIFAR as published.")


def _encoded(text: object, encoding: object = "latin-1") -> bytes:
    if isinstance(text, str) and encoding in ("latin1", "latin-1", b"latin1"):
        return text.encode("latin-1")
    raise DataError("the pickle encodes text in a way that CIFAR's do not.")


ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): HeldArray,
    ("numpy._core.multiarray", "_reconstruct"): HeldArray,
    ("numpy", "ndarray"): HeldArray,
    ("numpy", "dtype"): HeldType,
    ("_codecs", "encode"): _encoded,  # how Python 3 writes bytes into the older format
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a name that CIFAR's pickles use. Raises DataError for any other name."""
        if (module, name) not in ALLOWED:
            raise DataError(f"the pickle asks for {module}.{name}, which is not needed for images: it was not run.")
        return ALLOWED[module, name]


def read_pickle(content: bytes) -> dict[bytes, Any]:
    """A pickled dictionary with byte strings as keys, as Python 2 wrote it; arrays come as HeldArray.

    Raises DataError when it is damaged, is not a dictionary, or asks for more than plain values and arrays.
    """
    try:
        found = _PlainUnpickler(io.BytesIO(content), encoding="bytes").load()
    except DataError:
        raise
    except Exception as problem:  # a damaged pickle raises almost anything
        raise DataError(f"the pickle is damaged ({problem}): fetch the archive again.") from None
    if not isinstance(found, dict):
        raise DataError(f"the pickle holds a {type(found).__name__}, not a dictionary: this is not CIFAR as published.")
    return {key.encode() if isinstance(key, str) else key: value for key, value in found.items()}
