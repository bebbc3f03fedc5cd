"""Stochastic gradient descent on float32 weights, of which the network computes with copies in a run's precision."""

from collections.abc import Mapping
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor
from torch.optim.sgd import sgd

from transferkit.config import Precision, Recipe
from transferkit.network import LayeredNet
from transferkit.training.distributed import ALONE, Processes


class SGD:
    """Gradient descent with momentum, and the `weights` that a network computes with while it is trained.

    In float32 these are the network's parameters; in bfloat16 they are copies, which each step renews. Steps are
    taken on the float32 parameters, so that changes too small for bfloat16 still add up. Converting all layers once
    per step costs less than letting autocast convert them one by one.

    When several processes train the network together, each steps along the mean of all their gradients, in float32,
    so that all of them keep the same weights.
    """

    def __init__(self, network: LayeredNet, recipe: Recipe, precision: Precision, processes: Processes = ALONE) -> None:
        own = dict(network.named_parameters())
        self.weights = weights_in(network, precision)
        weights = [name for name in own if own[name].requires_grad and not name.endswith(".bias")]
        biases = [name for name in own if own[name].requires_grad and name.endswith(".bias")]
        self._recipe = recipe
        self.trained = [self.weights[name] for name in weights + biases]
        self._parameters: list[Tensor] = [own[name] for name in weights + biases]
        self._processes = processes
        self._shared: Tensor | None = None  # all gradients and the loss, which processes exchange in one message
        self._gradients = [torch.zeros_like(parameter) for parameter in self._parameters]
        if processes.count > 1:
            sizes = [parameter.numel() for parameter in self._parameters]
            self._shared = torch.zeros(sum(sizes) + 1, device=self._parameters[0].device)
            parts = zip(self._parameters, accumulate(sizes, initial=0), strict=False)  # the last part is the loss
            self._gradients = [self._shared.as_strided(own.shape, own.stride(), start) for own, start in parts]
        self.momenta = {name: torch.zeros_like(own[name]) for name in weights + biases}
        self._momenta: list[Tensor | None] = list(self.momenta.values())
        of_conv1 = int(bool(recipe.conv1_decay) and network.spec.first_filters in weights[:1])
        groups = (
            (slice(0, of_conv1), 1.0, recipe.conv1_decay or 0.0),
            (slice(of_conv1, len(weights)), 1.0, recipe.weight_decay),
            (slice(len(weights), None), recipe.bias_rate, 0.0),
        )
        self._groups = groups if of_conv1 else groups[1:]  # an empty group cannot take a step

    @property
    def state(self) -> tuple[Tensor, ...]:
        """All tensors that a step changes, buffers of the network apart."""
        return (*self._parameters, *self.momenta.values(), *self.trained)

    def step(self, loss: Tensor, rate: float | Tensor) -> Tensor:
        """Take one step down the gradient of `loss` at the learning rate `rate`. Frozen layers have no gradient.

        Returns the loss, without its graph: the mean over all processes.
        """
        gradients = torch.autograd.grad(loss, self.trained)
        with torch.no_grad():
            torch._foreach_copy_(self._gradients, gradients)
            mean = loss.detach()
            if self._shared is not None:
                self._shared[-1] = mean
                self._processes.average_(self._shared)
                mean = self._shared[-1].clone()
            for members, scale, decay in self._groups:
                sgd(
                    self._parameters[members], self._gradients[members], self._momenta[members],
                    fused=True, weight_decay=decay, momentum=self._recipe.momentum, lr=rate * scale, dampening=0.0,
                    nesterov=self._recipe.nesterov, maximize=False,
                )  # fmt: skip
            torch._foreach_copy_(self.trained, self._parameters)
        return mean

    def resume(self, momenta: Mapping[str, np.ndarray]) -> None:
        """Go on with these momenta, by parameter name, and with the weights that the network has now."""
        with torch.no_grad():
            for name, momentum in self.momenta.items():
                momentum.copy_(torch.from_numpy(momenta[name]))
            torch._foreach_copy_(self.trained, self._parameters)


def weights_in(network: LayeredNet, precision: Precision) -> dict[str, Tensor]:
    """The network's parameters by name; in bfloat16, copies of them. What is frozen stays so.

    Batch normalisations keep their float32 parameters in both precisions.
    """
    weights: dict[str, Tensor] = dict(network.named_parameters())
    if precision == "bfloat16":
        for name, own in weights.items():
            if not network.normalises(name):
                weights[name] = own.detach().to(torch.bfloat16).requires_grad_(own.requires_grad)
    return weights
