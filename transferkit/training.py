"""The only training loop: one step, evaluation, and training as a sequence of epoch logs."""

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from transferkit.config import Precision, Recipe
from transferkit.data import HalfData, batch_rows, to_input
from transferkit.errors import TrainingError
from transferkit.network import EightLayerNet
from transferkit.store import EpochLog
from transferkit.streams import Key

EVALUATION_BATCH = 256
CACHE_BYTES = 2**30  # features of frozen layers are kept in memory up to this size, else computed again


@dataclass(frozen=True)
class Examples:
    """What the trained layers read: images (uint8) or features of frozen layers, with labels; N rows each.

    `after` is the number of layers that have already been applied.
    """

    inputs: Tensor
    labels: Tensor
    after: int = 0


def train(
    network: EightLayerNet, data: tuple[HalfData, HalfData], recipe: Recipe, precision: Precision, *keys: Key
) -> Iterator[EpochLog]:
    """Train on `data` (training, validation), one EpochLog an epoch; the caller may stop between epochs.

    `keys` decide the order of the images. What is frozen is computed once and never back-propagated through.
    Raises TrainingError, naming the step, when the loss is not finite or a half has less than one batch.
    """
    training, validation = (_below(network, half, precision) for half in data)
    steps = len(training.labels) // recipe.batch_size
    if steps == 0:
        raise TrainingError(
            f"{len(training.labels)} training images are fewer than one batch of {recipe.batch_size}: "
            "prepare more images or choose a preset with smaller batches."
        )
    optimizer = _optimizer(network, recipe)
    for epoch in range(recipe.epochs):
        network.train()
        losses = torch.zeros(steps, device=training.labels.device)
        rows_of_epoch = batch_rows(len(training.labels), recipe.batch_size, *keys, epoch)
        for step, rows in enumerate(rows_of_epoch):
            _set_rate(optimizer, recipe, epoch + step / steps)
            losses[step] = training_step(network, training, rows, optimizer, precision)
        _refuse_non_finite(losses, epoch * steps)
        top1, valid_loss = evaluate(network, validation, precision)
        rate = learning_rate(recipe, epoch + 1)
        yield EpochLog(epoch + 1, losses.mean().item(), rate, valid_loss, top1)


def training_step(
    network: EightLayerNet, examples: Examples, rows: Tensor, optimizer: torch.optim.Optimizer, precision: Precision
) -> Tensor:
    """One step of gradient descent on these rows; return the mean cross-entropy before it (a scalar, detached)."""
    rows = rows.to(examples.labels.device)
    logits = _logits(network, examples, rows, precision)
    loss = F.cross_entropy(logits, examples.labels[rows])
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss.detach()


@torch.no_grad()
def evaluate(network: EightLayerNet, examples: Examples, precision: Precision) -> tuple[float, float]:
    """Top-1 accuracy (0..1) and mean cross-entropy (nats) over all examples, without dropout."""
    network.eval()
    correct, loss = 0, 0.0
    for rows in torch.arange(len(examples.labels), device=examples.labels.device).split(EVALUATION_BATCH):
        logits, labels = _logits(network, examples, rows, precision), examples.labels[rows]
        correct += int((logits.argmax(1) == labels).sum())
        loss += float(F.cross_entropy(logits, labels, reduction="sum"))
    return correct / len(examples.labels), loss / len(examples.labels)


def learning_rate(recipe: Recipe, epoch: float) -> float:
    """The learning rate at a moment of training, counted in epochs from 0 to `recipe.epochs`."""
    progress = epoch / recipe.epochs
    if recipe.schedule == "step":
        return recipe.learning_rate * 0.1 ** sum(progress >= drop for drop in recipe.drops)
    if progress < recipe.warmup:
        return recipe.learning_rate * (0.04 + 0.96 * progress / recipe.warmup)
    return recipe.learning_rate * (1 + math.cos(math.pi * (progress - recipe.warmup) / (1 - recipe.warmup))) / 2


def _logits(network: EightLayerNet, examples: Examples, rows: Tensor, precision: Precision) -> Tensor:
    inputs = examples.inputs[rows]
    with _autocast(inputs, precision):
        logits: Tensor = network(inputs if examples.after else to_input(inputs), after=examples.after)
    return logits.float()


@torch.no_grad()
def _below(network: EightLayerNet, half: HalfData, precision: Precision) -> Examples:
    """The half as the lowest trained layer sees it: features of the frozen layers if they fit, else images."""
    depth = network.frozen_depth
    images = Examples(half.images, half.labels)
    if depth == 0 or len(half.images) == 0:
        return images
    network.eval()
    features: list[Tensor] = []
    for chunk in half.images.split(EVALUATION_BATCH):
        with _autocast(chunk, precision):
            features.append(network(to_input(chunk), until=depth))
        if features[0][0].nbytes * len(half.images) > CACHE_BYTES:
            return images
    return Examples(torch.cat(features), half.labels, after=depth)


def _autocast(tensor: Tensor, precision: Precision) -> AbstractContextManager[object]:
    return torch.autocast(tensor.device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")


def _optimizer(network: EightLayerNet, recipe: Recipe) -> torch.optim.SGD:
    trained = [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]
    weights = [parameter for name, parameter in trained if not name.endswith(".bias")]
    biases = [parameter for name, parameter in trained if name.endswith(".bias")]
    groups = [
        {"params": weights, "scale": 1.0, "weight_decay": recipe.weight_decay},
        {"params": biases, "scale": recipe.bias_rate, "weight_decay": 0.0},
    ]
    return torch.optim.SGD(
        groups, lr=recipe.learning_rate, momentum=recipe.momentum, nesterov=recipe.nesterov, fused=True
    )  # fmt: skip


def _set_rate(optimizer: torch.optim.Optimizer, recipe: Recipe, epoch: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(recipe, epoch) * group["scale"]


def _refuse_non_finite(losses: Tensor, steps_before: int) -> None:
    wrong = torch.nonzero(~torch.isfinite(losses)).flatten().tolist()
    if wrong:
        raise TrainingError(
            f"the loss is {losses[wrong[0]].item()} at step {steps_before + wrong[0]}: lower the learning rate "
            "of the recipe for all treatments alike."
        )
