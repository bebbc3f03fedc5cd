"""Random numbers as a function of (seed, class, part), so that classes may be rendered in any order."""

from typing import Literal

import numpy as np

Part = Literal["train", "valid"]
_PARTS: tuple[Part, ...] = ("train", "valid")


def stream(seed: int, label: int, part: Part) -> np.random.Generator:
    """The generator of one class and part: NumPy's counter-based Philox with these three as its key.

    No two keys share a stream, so validation images repeat no draw of the training images.
    """
    key = np.array([seed, label * len(_PARTS) + _PARTS.index(part)], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))
