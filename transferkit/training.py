"""The only training loop: one step, evaluation, and training as a sequence of epoch logs."""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from transferkit.config import Precision, Recipe
from transferkit.data import HalfData, batch_order
from transferkit.descent import Descent, weights_in
from transferkit.errors import TrainingError
from transferkit.network import LayeredNet
from transferkit.store import EpochLog
from transferkit.streams import Key

EVALUATION_BATCH = 256
CACHE_BYTES = 2**30  # features of frozen layers are kept in memory up to this size, else computed again


@dataclass(frozen=True)
class Examples:
    """What the trained layers read, N rows: images (uint8) or features of frozen layers, with labels (int64).

    `inputs` are N x height x width x channels, or N x units, as memory holds them best; `after` is the number
    of layers that have already been applied.
    """

    inputs: Tensor
    labels: Tensor
    after: int = 0


def train(
    network: LayeredNet, examples: tuple[Examples, Examples], recipe: Recipe, precision: Precision, *keys: Key
) -> Iterator[EpochLog]:
    """Train on `examples` (training, validation), one EpochLog an epoch; the caller may stop between epochs.

    `keys` decide the order of the images. What is frozen is never back-propagated through. On a GPU nothing is
    waited for within an epoch. Raises TrainingError, naming the step, when the loss is not finite or there is
    less than one batch.
    """
    training, validation = examples
    steps = len(training.labels) // recipe.batch_size
    if steps == 0:
        raise TrainingError(
            f"{len(training.labels)} training images are fewer than one batch of {recipe.batch_size}: "
            "prepare more images or choose a preset with smaller batches."
        )
    descent = Descent(network, recipe, precision)
    for epoch in range(recipe.epochs):
        network.train()
        losses = torch.zeros(steps, device=training.labels.device)
        order = batch_order(len(training.labels), recipe.batch_size, *keys, epoch).to(training.labels.device)
        for step, rows in enumerate(order):
            loss = F.cross_entropy(_logits(network, training, rows, descent.weights), training.labels[rows])
            descent.step(loss, learning_rate(recipe, epoch + step / steps))
            losses[step] = loss.detach()
        _refuse_non_finite(losses, epoch * steps)
        top1, valid_loss = evaluate(network, validation, descent.weights)
        rate = learning_rate(recipe, epoch + 1)
        yield EpochLog(epoch + 1, losses.mean().item(), rate, valid_loss, top1)


@torch.no_grad()
def evaluate(network: LayeredNet, examples: Examples, weights: Mapping[str, Tensor]) -> tuple[float, float]:
    """Top-1 accuracy (0..1) and mean cross-entropy (nats) over all examples, with these weights, without dropout."""
    network.eval()
    labels = examples.labels
    correct, loss = torch.zeros((), dtype=torch.int64, device=labels.device), torch.zeros((), device=labels.device)
    for rows in torch.arange(len(labels), device=labels.device).split(EVALUATION_BATCH):
        logits = _logits(network, examples, rows, weights)
        correct += (logits.argmax(1) == labels[rows]).sum()
        loss += F.cross_entropy(logits, labels[rows], reduction="sum")
    return correct.item() / len(labels), loss.item() / len(labels)


def learning_rate(recipe: Recipe, epoch: float) -> float:
    """The learning rate at a moment of training, counted in epochs from 0 to `recipe.epochs`."""
    progress = epoch / recipe.epochs
    if recipe.schedule == "step":
        return recipe.learning_rate * 0.1 ** sum(progress >= drop for drop in recipe.drops)
    if progress < recipe.warmup:
        return recipe.learning_rate * (0.04 + 0.96 * progress / recipe.warmup)
    return recipe.learning_rate * (1 + math.cos(math.pi * (progress - recipe.warmup) / (1 - recipe.warmup))) / 2


@torch.no_grad()
def read_half(
    network: LayeredNet, half: HalfData, precision: Precision, depths: Collection[int]
) -> dict[int, Examples]:
    """What networks read whose first layers are those of `network`, frozen: by depth, from one pass over the half.

    Depth 0 is the images, as the network holds them; so is a depth whose features would not fit into
    CACHE_BYTES together with those of the greater depths.
    """
    images = Examples(network.held(half.images), half.labels)
    weights = weights_in(network, precision)
    network.eval()
    wanted = sorted(set(depths) - {0}) if len(half.labels) else []
    kept: dict[int, Tensor] | None = None
    for rows in torch.arange(len(half.labels), device=half.labels.device).split(EVALUATION_BATCH):
        features = dict(_features(network, images, rows, wanted, weights))
        kept = _room_for(features, len(half.labels)) if kept is None else kept
        for depth in kept:
            kept[depth][rows[0] : rows[-1] + 1] = features[depth]
        if not kept:
            break
    return {depth: Examples(kept[depth], half.labels, depth) if kept and depth in kept else images for depth in depths}


def _features(
    network: LayeredNet, images: Examples, rows: Tensor, depths: list[int], weights: Mapping[str, Tensor]
) -> Iterator[tuple[int, Tensor]]:
    x, reached = _batch(network, images, rows, weights), 0
    for depth in depths:
        x, reached = network(x, after=reached, until=depth, weights=weights), depth
        yield depth, x.permute(0, 2, 3, 1) if x.ndim == 4 else x


def _room_for(features: dict[int, Tensor], n_images: int) -> dict[int, Tensor]:
    """Memory for as many depths as fit, the greatest first, as their features are small and save most."""
    left = CACHE_BYTES
    room = {}
    for depth in sorted(features, reverse=True):
        left -= features[depth][0].nbytes * n_images
        if left >= 0:
            room[depth] = features[depth].new_empty((n_images, *features[depth].shape[1:]))
    return room


def _logits(network: LayeredNet, examples: Examples, rows: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    logits: Tensor = network(_batch(network, examples, rows, weights), after=examples.after, weights=weights)
    return logits.float()


def _batch(network: LayeredNet, examples: Examples, rows: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """These rows as the first layer that is applied to them takes them, in the dtype of the weights."""
    inputs = examples.inputs.index_select(0, rows)
    if inputs.dtype == torch.uint8:
        return network.to_input(inputs, weights[network.spec.first_filters].dtype)
    return inputs.permute(0, 3, 1, 2) if inputs.ndim == 4 else inputs


def _refuse_non_finite(losses: Tensor, steps_before: int) -> None:
    wrong = torch.nonzero(~torch.isfinite(losses)).flatten().tolist()
    if wrong:
        raise TrainingError(
            f"the loss is {losses[wrong[0]].item()} at step {steps_before + wrong[0]}: lower the learning rate "
            "of the recipe for all treatments alike."
        )
