"""Small networks for exercises on freezing, and the global random generators, held and put back.

A network is a row of blocks, each a full layer with batch normalisation, under a plain head.
"""

import random
from collections.abc import Callable
from itertools import pairwise
from types import TracebackType
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course.exercises.exercise import Case
from transferkit.training.machine import threads

RATE, DECAY, BATCH = 0.1, 0.05, 16


class Chance:
    """A context that puts the global generators of Python, NumPy and torch back as they were.

    It shows whether an answer depends on them or disturbs them.
    """

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


def pose_blocks(generator: np.random.Generator, depths: tuple[tuple[int, int], ...]) -> tuple[Case, ...]:
    """One network of random widths for each (layers, n)."""
    cases = []
    for depth, n in depths:
        widths = generator.integers(3, 7, depth + 1).tolist()
        given = {"widths": widths, "n": n, "seed": int(generator.integers(1000))}
        cases.append(Case(f"n={n} of {depth} layers of the widths {widths}", given))
    return tuple(cases)


def build_blocks(widths: list[int], seed: int) -> nn.Sequential:
    """The network in training mode; the same seed gives the same network."""
    with Chance() as chance:
        chance.set(seed)
        pairs = list(pairwise(widths))
        blocks = [
            nn.Sequential(nn.Linear(*pair, bias=False), nn.BatchNorm1d(pair[1]), nn.Tanh()) for pair in pairs[:-1]
        ]
        return nn.Sequential(*blocks, nn.Linear(*pairs[-1])).train()


def batch_for(widths: list[int], seed: int) -> tuple[Tensor, Tensor]:
    """Inputs, float32 BATCH x the first width, and BATCH labels, each below the last width."""
    generator = np.random.default_rng(seed)
    inputs = generator.normal(1, 2, (BATCH, widths[0])).astype(np.float32)
    return torch.from_numpy(inputs), torch.from_numpy(generator.integers(0, widths[-1], BATCH))


def train_step(network: nn.Module, batch: tuple[Tensor, Tensor], spoil: Callable[[], None] = lambda: None) -> None:
    """One step of SGD with weight decay on all parameters; calls `spoil` between the gradient and the step."""
    inputs, labels = batch
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, weight_decay=DECAY)
    with threads(1):  # a network this small only waits for a second one
        optimizer.zero_grad()
        F.cross_entropy(network(inputs), labels).backward()
        spoil()
        optimizer.step()


def state_of(network: nn.Module) -> dict[str, Tensor]:
    """A copy of every parameter and buffer by name: "0.1.running_mean" belongs to the second module of block 0."""
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def layer_number(name: str) -> int:
    """The number, from 0, of the layer to which a name belongs."""
    return int(name.split(".")[0])
