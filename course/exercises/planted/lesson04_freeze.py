"""Answers to the exercises of lesson 04 on freezing, right and wrong."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import torch
from torch import nn

from course.exercises.planted.answer import Planted

Groups = list[dict[str, Any]]


def planted() -> dict[str, Planted]:
    """The answers, by exercise."""
    return {
        "freeze": Planted(
            right=(freeze_by_module, freeze_a_copy),
            wrong={
                "statistics go on moving": freeze_gradients_only,
                "in evaluation, and trained": freeze_evaluation_only,
                "the gradient is zeroed": freeze_by_hooks,
                "the head too": lambda network, n: freeze_layers(network, [*range(n), len(network) - 1]),
                "everything": lambda network, n: freeze_layers(network, range(len(network))),
                "one too many": lambda network, n: freeze_layers(network, range(n + 1)),
                "one too few": lambda network, n: freeze_layers(network, range(n - 1)),
                "the last ones": lambda network, n: freeze_layers(network, range(len(network) - n, len(network))),
                "all in evaluation": lambda network, n: freeze_layers(network, range(n)).eval(),
                "weights without the rest": freeze_weights,
                "only layer n": lambda network, n: freeze_layers(network, [n - 1] if n else []),
                "nothing": lambda network, n: network,
                "the layers are set to zero": freeze_zeroed,
                "the copied layers are drawn anew": freeze_redrawn,
            },
        ),
        "parameter_groups": Planted(
            right=(groups_by_module, groups_of_one),
            wrong={
                "all of them": lambda network, decay: list(network.parameters()),
                "all, decayed": lambda network, decay: [{"params": list(network.parameters()), "weight_decay": decay}],
                "trained, all decayed": lambda network, decay: [{"params": _trained(network), "weight_decay": decay}],
                "trained, none decayed": lambda network, decay: _trained(network),
                "no biases": lambda network, decay: grouped(network, decay, lambda name, one: one.ndim > 1)[:1],
                "the head only": lambda network, decay: grouped(network[-1], decay, lambda name, one: one.ndim > 1),
                "by the word weight": lambda network, decay: grouped(
                    network, decay, lambda name, one: name.endswith("weight")
                ),
                "the other way": lambda network, decay: grouped(network, decay, lambda name, one: one.ndim == 1),
                "copies": groups_of_copies,
                "one of them twice": lambda network, decay: [
                    *grouped(network, decay, lambda name, one: one.ndim > 1),
                    {"params": [network[-1].weight], "weight_decay": decay},
                ],
                "a decay of its own": lambda network, decay: grouped(network, 0.1, lambda name, one: one.ndim > 1),
                "frozen without decay": groups_with_frozen,
            },
        ),
    }


def freeze_layers(network: nn.Sequential, layers: Iterable[int]) -> nn.Sequential:
    """Freezes the layers with these numbers properly."""
    for number in layers:
        if number >= 0:
            network[number].eval().requires_grad_(False)
    return network


def freeze_by_module(network: nn.Sequential, n: int) -> nn.Sequential:
    """Each module and parameter on its own."""
    for layer in list(network)[:n]:
        for module in layer.modules():
            module.training = False
        for parameter in layer.parameters():
            parameter.requires_grad = False
    return network


def freeze_a_copy(network: nn.Sequential, n: int) -> nn.Sequential:
    """On a new network."""
    return freeze_layers(deepcopy(network), range(n))


def freeze_gradients_only(network: nn.Sequential, n: int) -> nn.Sequential:
    """Wrong."""
    network[:n].requires_grad_(False)
    return network


def freeze_evaluation_only(network: nn.Sequential, n: int) -> nn.Sequential:
    """Wrong."""
    network[:n].eval()
    return network


def freeze_by_hooks(network: nn.Sequential, n: int) -> nn.Sequential:
    """Wrong."""
    network[:n].eval()
    for parameter in network[:n].parameters():
        parameter.register_hook(torch.zeros_like)
    return network


def freeze_weights(network: nn.Sequential, n: int) -> nn.Sequential:
    """Wrong."""
    network[:n].eval()
    for name, parameter in network[:n].named_parameters():
        parameter.requires_grad_(not name.endswith("0.weight"))
    return network


def freeze_zeroed(network: nn.Sequential, n: int) -> nn.Sequential:
    """Wrong."""
    with torch.no_grad():
        for parameter in network[:n].parameters():
            parameter.zero_()
    return freeze_layers(network, range(n))


def freeze_redrawn(network: nn.Sequential, n: int) -> nn.Sequential:
    """Wrong."""
    for module in network[:n].modules():
        if isinstance(module, nn.Linear):
            module.reset_parameters()
    return freeze_layers(network, range(n))


def _trained(network: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def grouped(network: nn.Module, decay: float, decays: Callable[[str, nn.Parameter], bool]) -> Groups:
    """The parameters that need a gradient, in two groups: those that `decays` picks, and the rest."""
    trained = [(name, one) for name, one in network.named_parameters() if one.requires_grad]
    return [
        {"params": [one for name, one in trained if decays(name, one)], "weight_decay": decay},
        {"params": [one for name, one in trained if not decays(name, one)], "weight_decay": 0.0},
    ]


def groups_by_module(network: nn.Sequential, decay: float) -> Groups:
    """The weights of full layers in one group, the rest in another."""
    full = [module.weight for module in network.modules() if isinstance(module, nn.Linear)]
    weights = [one for one in full if one.requires_grad]
    rest = [one for one in _trained(network) if not any(one is weight for weight in weights)]
    return [{"params": rest}, {"params": weights, "weight_decay": decay}]


def groups_of_one(network: nn.Sequential, decay: float) -> Groups:
    """A group for each parameter."""
    return [{"params": [one], "weight_decay": decay if one.ndim > 1 else 0.0} for one in _trained(network)]


def groups_of_copies(network: nn.Sequential, decay: float) -> Groups:
    """Wrong."""
    return grouped(deepcopy(network), decay, lambda name, one: one.ndim > 1)


def groups_with_frozen(network: nn.Sequential, decay: float) -> Groups:
    """Wrong."""
    frozen = [one for one in network.parameters() if not one.requires_grad]
    return [*grouped(network, decay, lambda name, one: one.ndim > 1), {"params": frozen, "weight_decay": 0.0}]
