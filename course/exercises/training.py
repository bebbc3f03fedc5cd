"""A few steps of training small networks, with which the judge of lesson 04 finds out what moves."""

from collections.abc import Collection

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course.asking.networks import state_of
from course.exercises.exercise import Case
from transferkit.training.machine import threads

RATE, DECAY, BATCH = 0.1, 0.05, 16


def pose_blocks(generator: np.random.Generator, depths: tuple[tuple[int, int], ...]) -> tuple[Case, ...]:
    """One network of random widths for each (layers, n)."""
    cases = []
    for depth, n in depths:
        widths = generator.integers(3, 7, depth + 1).tolist()
        given = {"widths": widths, "n": n, "seed": int(generator.integers(1000))}
        cases.append(Case(f"n={n} of {depth} layers of the widths {widths}", given))
    return tuple(cases)


def batch_for(widths: list[int], seed: int) -> tuple[Tensor, Tensor]:
    """Inputs, float32 BATCH x the first width, and BATCH labels, each below the last width."""
    generator = np.random.default_rng(seed)
    inputs = generator.normal(1, 2, (BATCH, widths[0])).astype(np.float32)
    return torch.from_numpy(inputs), torch.from_numpy(generator.integers(0, widths[-1], BATCH))


def train_step(
    network: nn.Module,
    batch: tuple[Tensor, Tensor],
    zeroed: Collection[str] = (),
    rate: float = RATE,
    decay: float = DECAY,
) -> None:
    """One step of SGD with weight decay on all parameters that have a gradient.

    The gradient of those named in `zeroed` is set to zero. The step is written out because torch's optimisers load its
    compiler when first used, which takes longer than all the training. Raises RuntimeError if nothing needs a gradient.
    """
    inputs, labels = batch
    with threads(1):  # a network this small only waits for a second one
        F.cross_entropy(network(inputs), labels).backward()
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                if parameter.grad is not None:
                    slope = torch.zeros_like(parameter) if name in zeroed else parameter.grad
                    parameter.sub_(rate * (slope + decay * parameter))
                    parameter.grad = None


def copy_of_state(network: nn.Module) -> dict[str, Tensor]:
    """A copy of every parameter and buffer by name."""
    return {name: tensor.detach().clone() for name, tensor in state_of(network).items()}
