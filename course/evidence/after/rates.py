"""Training in which some layers learn at a smaller rate: the library's loop has one rate for all."""

from collections.abc import Collection, Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from transferkit.config import Recipe
from transferkit.disk.checkpoints import EpochLog
from transferkit.network import LayeredNet
from transferkit.randomness import Key
from transferkit.training.data import batch_order
from transferkit.training.examples import Examples, batches
from transferkit.training.loop import evaluate, learning_rate


def train_slowly(
    network: LayeredNet, examples: tuple[Examples, Examples], recipe: Recipe, slow: Collection[str], factor: float,
    *keys: Key,
) -> Iterator[EpochLog]:  # fmt: skip
    """Train as the library's loop does, in float32, but the layers `slow` at `factor` times the rate of the others.

    Weight decay shrinks with the rate. It does without views, checkpoints and dropout, which `quick` has not.
    """
    training, validation = examples
    optimiser = torch.optim.SGD(
        list(_groups(network, recipe, slow, factor)), lr=0.0, momentum=recipe.momentum, nesterov=recipe.nesterov
    )
    weights: dict[str, Tensor] = dict(network.named_parameters())
    for epoch in range(recipe.epochs):
        network.train()
        rows = batch_order(len(training.labels), recipe.batch_size, *keys, epoch)
        total = torch.zeros(())
        for number, (inputs, labels) in enumerate(batches(network, training, rows, weights)):
            for group in optimiser.param_groups:
                group["lr"] = group["scale"] * learning_rate(recipe, epoch + number / len(rows))
            loss = F.cross_entropy(network(inputs, after=training.after, weights=weights), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.detach()
        top1, valid_loss = evaluate(network, validation, weights)
        rate = learning_rate(recipe, epoch + 1)
        yield EpochLog(epoch + 1, (total / len(rows)).item(), rate, valid_loss, top1)


def _groups(network: LayeredNet, recipe: Recipe, slow: Collection[str], factor: float) -> Iterator[dict[str, object]]:
    """Weights and biases, each at the full and at the small rate."""
    for name, parameter in network.named_parameters():
        bias, scale = name.endswith(".bias"), factor if network.layer_of(name) in slow else 1.0
        yield {
            "params": [parameter],
            "scale": scale * (recipe.bias_rate if bias else 1.0),
            "weight_decay": 0.0 if bias else recipe.weight_decay,
        }
