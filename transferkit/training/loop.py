"""The only training loop: epochs of steps, each followed by an evaluation. It can go on from a checkpoint."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from transferkit.config import Precision, Recipe
from transferkit.disk.checkpoints import Checkpoint, EpochLog
from transferkit.errors import TrainingError
from transferkit.network import LayeredNet
from transferkit.network.views import draw_views
from transferkit.randomness import Key, seed_from
from transferkit.training.cuda_graphs import GraphedStep, Recorder, default_generator
from transferkit.training.data import batch_order
from transferkit.training.distributed import ALONE, Processes
from transferkit.training.examples import EVALUATION_BATCH, Examples, batches
from transferkit.training.optimiser import SGD


@dataclass(frozen=True)
class Checkpointing:
    """The checkpoint to start from, if any, and the function that saves a new one every `seconds`."""

    start: Checkpoint | None = None
    save: Callable[[Checkpoint], None] | None = None
    seconds: float = 180.0


NO_CHECKPOINTS = Checkpointing()


def train(
    network: LayeredNet, examples: tuple[Examples, Examples], recipe: Recipe, precision: Precision, *keys: Key,
    processes: Processes = ALONE, checkpointing: Checkpointing = NO_CHECKPOINTS, record: Recorder | None = None,
) -> Iterator[EpochLog]:  # fmt: skip
    """Train on `examples` (training, validation); yield the log of each epoch when it ends.

    `keys` decide everything random: the order of the images, their views, and what dropout drops. Nothing depends on
    what ran before, so that on the CPU a training that goes on from a checkpoint ends with the same bits.

    With several `processes`, each takes its part of every batch. Dropout and batch normalisation then see that part
    only, and the running statistics of the first process count. With `record`, a step is recorded once and replayed.

    Raises TrainingError when there is less than one batch, when a recorded step differs from the step itself, and
    when the loss is not finite, naming the step.
    """
    training, validation = examples
    optimiser = SGD(network, recipe, precision, processes)
    losses = torch.zeros(_batches_per_epoch(training, recipe), device=training.labels.device)

    def step(inputs: Tensor, labels: Tensor, rate: float | Tensor) -> Tensor:
        logits = network(inputs, after=training.after, weights=optimiser.weights)  # `inputs` are past the frozen layers
        return optimiser.step(F.cross_entropy(logits.float(), labels), rate)  # bfloat16 is too coarse for a loss

    take = step if record is None else GraphedStep(step, (*optimiser.state, *network.buffers()), record)
    log, first = _resume(network, optimiser, losses, checkpointing.start)
    saved = time.monotonic()
    for epoch in range(len(log), recipe.epochs):
        network.train()  # each evaluation switches dropout off
        rows, views = _order(training, recipe, network.spec.image_size, processes, first, *keys, epoch)
        with _dropout_seeds(losses.device, "dropout", *keys, epoch, processes.rank) as seed_dropout:
            read = batches(network, training, rows, optimiser.weights, views)
            for number, (inputs, labels) in enumerate(read, start=first):
                seed_dropout(number)
                # The loss stays on the device: to read it here, the CPU would wait for the GPU in every step.
                losses[number] = take(inputs, labels, learning_rate(recipe, epoch + number / len(losses)))
                if checkpointing.save is not None and time.monotonic() - saved > checkpointing.seconds:
                    checkpointing.save(_checkpoint(network, optimiser, losses[: number + 1], log))
                    saved = time.monotonic()
        _refuse_non_finite(losses, epoch * len(losses), recipe.learning_rate)
        processes.broadcast_(network.buffers())  # running statistics, which each took from its own part of the batches
        top1, valid_loss = evaluate(network, validation, optimiser.weights, processes)
        rate = learning_rate(recipe, epoch + 1)
        log, first = (*log, EpochLog(epoch + 1, losses.mean().item(), rate, valid_loss, top1)), 0
        yield log[-1]


@torch.no_grad()
def evaluate(
    network: LayeredNet, examples: Examples, weights: Mapping[str, Tensor], processes: Processes = ALONE
) -> tuple[float, float]:
    """Top-1 accuracy (0..1) and mean cross-entropy (nats) over all examples, with these weights, without dropout.

    Several processes share the batches, and all of them return the same.
    """
    network.eval()
    device, count = examples.labels.device, len(examples.labels)
    correct, loss = torch.zeros((), dtype=torch.int64, device=device), torch.zeros((), device=device)
    rows = torch.arange(count).split(EVALUATION_BATCH)[processes.rank :: processes.count]
    for inputs, labels in batches(network, examples, rows, weights):
        logits = network(inputs, after=examples.after, weights=weights).float()
        correct += (logits.argmax(1) == labels).sum()
        loss += F.cross_entropy(logits, labels, reduction="sum")
    processes.sum_(correct)
    processes.sum_(loss)
    return correct.item() / count, loss.item() / count


def learning_rate(recipe: Recipe, epoch: float) -> float:
    """The learning rate at a moment of training, counted in epochs from 0 to `recipe.epochs`."""
    progress = epoch / recipe.epochs
    if recipe.schedule == "step":
        return recipe.learning_rate * 0.1 ** sum(progress >= drop for drop in recipe.drops)
    if progress < recipe.warmup:
        return recipe.learning_rate * (0.04 + 0.96 * progress / recipe.warmup)
    return recipe.learning_rate * (1 + math.cos(math.pi * (progress - recipe.warmup) / (1 - recipe.warmup))) / 2


def _batches_per_epoch(training: Examples, recipe: Recipe) -> int:
    count = len(training.labels) // recipe.batch_size
    if count == 0:
        raise TrainingError(
            f"{len(training.labels)} training images are fewer than one batch of {recipe.batch_size}: "
            "prepare more images or choose a preset with smaller batches."
        )
    return count


def _order(
    training: Examples, recipe: Recipe, size: int, processes: Processes, first: int, *keys: Key
) -> tuple[Tensor, Tensor | None]:
    """This process's rows of an epoch's batches, batches x own, from batch number `first` on, and their views."""
    order = batch_order(len(training.labels), recipe.batch_size, *keys)
    rows = processes.share(order)[first:]
    if not recipe.augment:
        return rows, None
    margin = training.inputs.shape[-1] - size
    views = draw_views(recipe.augment, order.numel(), margin, *keys).view(*order.shape, 3)
    return rows, processes.share(views)[first:]


@contextmanager
def _dropout_seeds(device: torch.device, *keys: Key) -> Iterator[Callable[[int], object]]:
    """Yield a function that seeds dropout's generator for one step; restore that generator afterwards.

    So the masks of a step do not depend on the steps before it. `torch.manual_seed` would seed the generators of all
    kinds of devices, at 100 times the cost.
    """
    generator, seed = default_generator(device), seed_from(*keys)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        yield lambda step: generator.manual_seed((seed + step) % 2**63)


def _checkpoint(network: LayeredNet, optimiser: SGD, losses: Tensor, log: tuple[EpochLog, ...]) -> Checkpoint:
    weights = {name: as_array(tensor) for name, tensor in network.state_dict().items()}
    momenta = {name: as_array(momentum) for name, momentum in optimiser.momenta.items()}
    return Checkpoint(len(losses), log, as_array(losses), weights, momenta)


def as_array(tensor: Tensor) -> np.ndarray:
    """A copy of a tensor as it is now, which stays as the training goes on."""
    array: np.ndarray = tensor.detach().cpu().numpy().copy()
    return array


def _resume(
    network: LayeredNet, optimiser: SGD, losses: Tensor, start: Checkpoint | None
) -> tuple[tuple[EpochLog, ...], int]:
    """Restore a checkpoint; return the log of the finished epochs, and the number of finished steps in the next one."""
    if start is None:
        return (), 0
    network.load_state_dict({name: torch.from_numpy(array) for name, array in start.weights.items()})
    optimiser.resume(start.momenta)
    losses[: start.step] = torch.from_numpy(start.losses)
    return start.log, start.step


def _refuse_non_finite(losses: Tensor, steps_before: int, peak: float) -> None:
    wrong = torch.nonzero(~torch.isfinite(losses)).flatten().tolist()
    if wrong:
        raise TrainingError(
            f"the loss is {losses[wrong[0]].item()} at step {steps_before + wrong[0]}: lower the learning rate for all "
            f"treatments alike, as with --learning-rate {peak / 2:g}, half of this one's peak."
        )
