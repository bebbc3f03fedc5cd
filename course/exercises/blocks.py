"""Small networks that freezing is tried on: blocks of a full layer with batch normalisation, and a plain head."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course.exercises.chance import Chance
from course.exercises.exercise import Case
from transferkit.training.machine import threads

RATE, DECAY, BATCH = 0.1, 0.05, 16


def pose_blocks(generator: np.random.Generator, depths: tuple[tuple[int, int], ...]) -> tuple[Case, ...]:
    """Networks of random widths, for each (layers, n)."""
    cases = []
    for depth, n in depths:
        widths = generator.integers(3, 7, depth + 1).tolist()
        given = {"widths": widths, "n": n, "seed": int(generator.integers(1000))}
        cases.append(Case(f"n={n} of {depth} layers of the widths {widths}", given))
    return tuple(cases)


def build_blocks(widths: list[int], seed: int) -> nn.Sequential:
    """The network, in training, the same for the same seed."""
    with Chance() as chance:
        chance.set(seed)
        pairs = list(pairwise(widths))
        blocks = [
            nn.Sequential(nn.Linear(*pair, bias=False), nn.BatchNorm1d(pair[1]), nn.Tanh()) for pair in pairs[:-1]
        ]
        return nn.Sequential(*blocks, nn.Linear(*pairs[-1])).train()


def batch_for(widths: list[int], seed: int) -> tuple[Tensor, Tensor]:
    """Inputs, float32 BATCH x the first width, and labels below the last one."""
    generator = np.random.default_rng(seed)
    inputs = generator.normal(1, 2, (BATCH, widths[0])).astype(np.float32)
    return torch.from_numpy(inputs), torch.from_numpy(generator.integers(0, widths[-1], BATCH))


def train_step(network: nn.Module, batch: tuple[Tensor, Tensor], spoil: Callable[[], None] = lambda: None) -> None:
    """One step of SGD with weight decay on all parameters; `spoil` is called between gradient and step."""
    inputs, labels = batch
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, weight_decay=DECAY)
    with threads(1):  # so small a network only waits for a second one
        optimizer.zero_grad()
        F.cross_entropy(network(inputs), labels).backward()
        spoil()
        optimizer.step()


def state_of(network: nn.Module) -> dict[str, Tensor]:
    """A copy of every parameter and buffer by name, as "0.1.running_mean": of block 0, of its second module."""
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def layer_number(name: str) -> int:
    """The layer a name belongs to, from 0."""
    return int(name.split(".")[0])
