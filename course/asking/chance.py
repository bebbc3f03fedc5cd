"""The global random generators, held and put back."""

import random
from types import TracebackType
from typing import Self

import numpy as np
import torch

_OF_PYTHON, _OF_NUMPY, _OF_TORCH = random.getstate, np.random.get_state, torch.get_rng_state
_SET_PYTHON, _SET_NUMPY, _SET_TORCH = random.setstate, np.random.set_state, torch.set_rng_state


class Chance:
    """A context that puts the global generators of Python, NumPy and torch back as they were.

    It shows whether an answer depends on them or disturbs them; an answer that replaces their functions cannot hide it.
    """

    def __enter__(self) -> Self:
        self._kept = (_OF_PYTHON(), _OF_NUMPY(), _OF_TORCH())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        of_python, of_numpy, of_torch = self._kept
        _SET_PYTHON(of_python)
        _SET_NUMPY(of_numpy)
        _SET_TORCH(of_torch)

    def set(self, seed: int) -> None:
        """Bring all three into the state that belongs to this seed."""
        _SET_PYTHON(random.Random(seed).getstate())
        _SET_NUMPY(np.random.RandomState(seed).get_state())
        _SET_TORCH(torch.Generator().manual_seed(seed).get_state())

    def state(self) -> str:
        """What the three will draw next, as text to compare."""
        of_numpy = _OF_NUMPY(legacy=False)
        held = (of_numpy["state"]["key"].tobytes(), _OF_TORCH().numpy().tobytes())
        return f"{_OF_PYTHON()}{of_numpy['state']['pos']}{held[0].hex()}{held[1].hex()}"
