"""The global random generators, held and put back: to see whether an answer depends on them or disturbs them."""

import random
from types import TracebackType
from typing import Self

import numpy as np
import torch


class Chance:
    """A context that puts the global generators of Python, NumPy and torch back as they were."""

    def __enter__(self) -> Self:
        self._kept = (random.getstate(), np.random.get_state(), torch.get_rng_state())  # noqa: NPY002
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        of_python, of_numpy, of_torch = self._kept
        random.setstate(of_python)
        np.random.set_state(of_numpy)  # noqa: NPY002
        torch.set_rng_state(of_torch)

    def set(self, seed: int) -> None:
        """Seed all three."""
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(seed)

    def state(self) -> str:
        """What the three will draw next, as text to compare."""
        of_numpy = np.random.get_state(legacy=False)  # noqa: NPY002
        return f"{random.getstate()}{of_numpy['state']['key'].tolist()}{of_numpy['state']['pos']}" + str(
            torch.get_rng_state().tolist()
        )
