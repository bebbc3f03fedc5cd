"""The steps of a network's training, each a function of the run's keys, the epoch and its number alone."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from transferkit.config import Recipe
from transferkit.data import batch_order
from transferkit.descent import Descent
from transferkit.errors import TrainingError
from transferkit.examples import Examples, batches
from transferkit.network import LayeredNet
from transferkit.ranks import Ranks
from transferkit.replay import Step, default_generator
from transferkit.streams import Key, seed_from
from transferkit.views import draw_views


@dataclass(frozen=True)
class Steps:
    """What it takes to train `network` on `training` step by step; `losses` are those of the epoch under way.

    `keys` decide the order of the images, their views and what dropout drops; `take` takes one step.
    """

    network: LayeredNet
    training: Examples
    recipe: Recipe
    descent: Descent
    ranks: Ranks
    keys: tuple[Key, ...]
    losses: Tensor
    take: Step

    def run(self, epoch: int, first: int) -> Iterator[int]:
        """Take the steps of an epoch from the one numbered `first` on; yields how many of them are taken, each time.

        Raises TrainingError when a batch does not fit into the memory of the GPU, with the batch that does.
        """
        self.network.train()
        rows, views = self._order(epoch, first)
        size = self.recipe.batch_size // self.ranks.count
        seed = seed_from("dropout", *self.keys, epoch, self.ranks.number)
        with _batch_that_fits(self), _own_randomness(seed, self.losses.device) as draw_for:
            read = batches(self.network, self.training, rows, size, self.descent.weights, views)
            for step, (inputs, labels) in enumerate(read, first):
                draw_for(step)
                rate = learning_rate(self.recipe, epoch + step / len(self.losses))
                self.losses[step] = self.take(inputs, labels, rate)
                yield step + 1

    def _order(self, epoch: int, first: int) -> tuple[Tensor, Tensor | None]:
        """The rows, and the views of them, that this process reads from its batch numbered `first` on."""
        order = batch_order(len(self.training.labels), self.recipe.batch_size, *self.keys, epoch)
        rows = self.ranks.share(order)[first:].flatten()
        if not self.recipe.augment:
            return rows, None
        margin = self.training.inputs.shape[-1] - self.network.spec.image_size
        drawn = draw_views(self.recipe.augment, order.numel(), margin, *self.keys, epoch)
        return rows, self.ranks.share(drawn.view(*order.shape, 3))[first:].flatten(0, 1)


def step_of(network: LayeredNet, after: int, descent: Descent) -> Step:
    """A step of the layers above `after`: down the gradient of a batch's mean cross-entropy; the loss, in nats."""

    def take(inputs: Tensor, labels: Tensor, rate: float | Tensor) -> Tensor:
        return descent.step(_loss(network, inputs, after, descent, labels), rate)

    return take


def _loss(network: LayeredNet, inputs: Tensor, after: int, descent: Descent, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits_of(network, inputs, after, descent.weights), labels)


def logits_of(network: LayeredNet, inputs: Tensor, after: int, weights: Mapping[str, Tensor]) -> Tensor:
    """What the layers above `after` make of a batch, in float32."""
    logits: Tensor = network(inputs, after=after, weights=weights)
    return logits.float()


def learning_rate(recipe: Recipe, epoch: float) -> float:
    """The learning rate at a moment of training, counted in epochs from 0 to `recipe.epochs`."""
    progress = epoch / recipe.epochs
    if recipe.schedule == "step":
        return recipe.learning_rate * 0.1 ** sum(progress >= drop for drop in recipe.drops)
    if progress < recipe.warmup:
        return recipe.learning_rate * (0.04 + 0.96 * progress / recipe.warmup)
    return recipe.learning_rate * (1 + math.cos(math.pi * (progress - recipe.warmup) / (1 - recipe.warmup))) / 2


@contextmanager
def _own_randomness(seed: int, device: torch.device) -> Iterator[Callable[[int], object]]:
    """Yield what seeds the generator that dropout draws from, for one step; the caller's numbers stay as they were.

    `torch.manual_seed` would do the same for every kind of device at once, at 100 times the cost.
    """
    generator = default_generator(device)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        yield lambda step: generator.manual_seed((seed + step) % 2**63)


@contextmanager
def _batch_that_fits(steps: Steps) -> Iterator[None]:
    """Turn a full memory of the GPU into a sentence that names the largest batch, of those halved, that fits."""
    full = False
    try:
        yield
    except torch.OutOfMemoryError:
        full = True  # tried further below, where nothing of the failed step is held any more
    if full:
        raise TrainingError(_too_large(steps))


def _too_large(steps: Steps) -> str:
    whole, count = steps.recipe.batch_size, steps.ranks.count
    size = whole // count // 2
    while size and not _fits(steps, size):
        size //= 2
    told = f"a batch of {whole // count} images does not fit into the memory of this GPU"
    if not size:
        return f"{told}, nor does a single image: choose a smaller network or a larger GPU."
    return (
        f"{told}, one of {size} does: start {-(-whole // size)} processes on as many GPUs with torchrun, which share "
        f"the batch, or set the recipe's batch_size to {size} for all treatments alike."
    )


def _fits(steps: Steps, size: int) -> bool:
    """Whether the gradient of so many images can be computed; nothing is changed by it."""
    torch.cuda.empty_cache()
    try:
        rows, weights = torch.arange(size), steps.descent.weights
        for inputs, labels in batches(steps.network, steps.training, rows, size, weights):
            loss = _loss(steps.network, inputs, steps.training.after, steps.descent, labels)
            torch.autograd.grad(loss, steps.descent.trained)
    except torch.OutOfMemoryError:
        return False
    return True
