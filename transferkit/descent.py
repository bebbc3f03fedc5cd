"""Stochastic gradient descent on float32 weights, computing with copies of them in a run's precision."""

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd

from transferkit.config import Precision, Recipe
from transferkit.network import LayeredNet


class Descent:
    """The weights a network computes with while it is trained, and the steps that improve them.

    `weights` names what to hand to the network: in bfloat16, copies of its layers' parameters that each step
    renews; in float32, the parameters themselves. The steps are taken on the float32 parameters, so that what
    is too small for bfloat16 still adds up. Doing this once a step, for all layers at once, costs less than
    letting autocast do it layer by layer.
    """

    def __init__(self, network: LayeredNet, recipe: Recipe, precision: Precision) -> None:
        own = dict(network.named_parameters())
        self.weights = weights_in(network, precision)
        weights = [name for name in own if own[name].requires_grad and not name.endswith(".bias")]
        biases = [name for name in own if own[name].requires_grad and name.endswith(".bias")]
        self._recipe = recipe
        self._trained = [self.weights[name] for name in weights + biases]
        self._parameters: list[Tensor] = [own[name] for name in weights + biases]
        self._gradients = [torch.zeros_like(parameter) for parameter in self._parameters]
        self._momenta: list[Tensor | None] = [torch.zeros_like(parameter) for parameter in self._parameters]
        self._groups = (
            (slice(0, len(weights)), 1.0, recipe.weight_decay),
            (slice(len(weights), None), recipe.bias_rate, 0.0),
        )

    def step(self, loss: Tensor, rate: float) -> None:
        """One step down the gradient of `loss` at the learning rate `rate`. Frozen layers have no gradient."""
        gradients = torch.autograd.grad(loss, self._trained)
        with torch.no_grad():
            torch._foreach_copy_(self._gradients, gradients)
            for members, scale, decay in self._groups:
                sgd(
                    self._parameters[members], self._gradients[members], self._momenta[members],
                    fused=True, weight_decay=decay, momentum=self._recipe.momentum, lr=rate * scale, dampening=0.0,
                    nesterov=self._recipe.nesterov, maximize=False,
                )  # fmt: skip
            torch._foreach_copy_(self._trained, self._parameters)


def weights_in(network: LayeredNet, precision: Precision) -> dict[str, Tensor]:
    """The network's parameters by name; in bfloat16, copies of them, but for those of batch normalisations.

    What is frozen stays so. Batch normalisation is computed in float32 whatever the precision.
    """
    own = dict(network.named_parameters())
    if precision == "float32":
        return dict(own)
    return {name: own[name] if network.normalises(name) else _copy(own[name]) for name in own}


def _copy(parameter: nn.Parameter) -> Tensor:
    return parameter.detach().to(torch.bfloat16).requires_grad_(parameter.requires_grad)
