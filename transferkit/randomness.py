"""Counter-based randomness: every random number is a function of named keys, never of what ran before.

So an interrupted training needs no saved generator state, and networks with the same keys draw the same numbers, which
makes the differences between treatments paired.
"""

import hashlib
from operator import index

import numpy as np

Key = str | int


def seed_from(*keys: Key) -> int:
    """A 63-bit seed that depends on every key and on their order; an integer of NumPy's counts as that number."""
    text = "/".join(f"str:{key}" if isinstance(key, str) else f"int:{index(key)}" for key in keys)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator_from(*keys: Key) -> np.random.Generator:
    """A NumPy generator (Philox, counter-based) for these keys."""
    return np.random.Generator(np.random.Philox(seed_from(*keys)))
