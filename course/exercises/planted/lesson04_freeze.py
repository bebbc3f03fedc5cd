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
            right=(freeze_by_module, freeze_by_name),
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
                "a copy": lambda network, n: freeze_layers(deepcopy(network), range(n)),
                "the slice": lambda network, n: freeze_layers(network, range(n))[:n],
                "nothing comes back": freeze_without_return,
                "statistics are switched off": lambda network, n: freeze_norms(network, n, track_running_stats=False),
                "statistics without momentum": lambda network, n: freeze_norms(network, n, momentum=0.0),
                "statistics begin anew": freeze_and_reset,
                "names that begin alike": freeze_by_beginning,
            },
        ),
        "parameter_groups": Planted(
            right=(groups_by_module, groups_by_loop),
            wrong={
                "all of them": lambda network, decay: list(network.parameters()),
                "all, decayed": lambda network, decay: [{"params": list(network.parameters()), "weight_decay": decay}],
                "trained, all decayed": lambda network, decay: [{"params": _trained(network), "weight_decay": decay}],
                "trained, none decayed": lambda network, decay: [
                    {"params": _trained(network), "weight_decay": 0.0},
                    {"params": [], "weight_decay": decay},
                ],
                "a group for each": groups_of_one,
                "an empty group left out": lambda network, decay: [
                    group for group in groups_by_loop(network, decay) if group["params"]
                ],
                "no decay said": lambda network, decay: [
                    {name: value for name, value in group.items() if value} for group in groups_by_loop(network, decay)
                ],
                "two dimensions exactly": lambda network, decay: grouped(
                    network, decay, lambda name, one: one.ndim == 2
                ),
                "layers by their first parameter": groups_by_first,
                "a layer frozen in part left out": groups_of_whole_layers,
                "with their names": groups_of_pairs,
                "shared weights twice": groups_with_shared,
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


def freeze_by_name(network: nn.Sequential, n: int) -> nn.Sequential:
    """By the number in each name."""
    for name, parameter in network.named_parameters():
        parameter.requires_grad = int(name.split(".")[0]) >= n
    for name, module in network.named_modules():
        if name and int(name.split(".")[0]) < n:
            module.eval()
    return network


def freeze_without_return(network: nn.Sequential, n: int) -> None:
    """Wrong."""
    freeze_layers(network, range(n))


def freeze_norms(network: nn.Sequential, n: int, **settings: float) -> nn.Sequential:
    """Wrong: changes how the normalisations are set."""
    network[:n].requires_grad_(False)
    for module in network[:n].modules():
        if isinstance(module, nn.BatchNorm1d):
            vars(module).update(settings)
    return network


def freeze_and_reset(network: nn.Sequential, n: int) -> nn.Sequential:
    """Wrong."""
    for module in network[:n].modules():
        if isinstance(module, nn.BatchNorm1d):
            module.reset_running_stats()
    return freeze_layers(network, range(n))


def freeze_by_beginning(network: nn.Sequential, n: int) -> nn.Sequential:
    """Wrong."""
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(tuple(map(str, range(n)))))
    network[:n].eval()
    return network


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


def groups_by_loop(network: nn.Module, decay: float) -> Groups:
    """One after the other."""
    groups: Groups = [{"params": [], "weight_decay": decay}, {"params": [], "weight_decay": 0.0}]
    for parameter in _trained(network):
        groups[parameter.dim() < 2]["params"].append(parameter)
    return groups


def groups_by_first(network: nn.Module, decay: float) -> Groups:
    """Wrong."""
    of_layers = [list(module.parameters(recurse=False)) for module in network.modules()]
    trained = [one for layer in of_layers if layer and layer[0].requires_grad for one in layer]
    return [
        {"params": [one for one in trained if one.ndim > 1], "weight_decay": decay},
        {"params": [one for one in trained if one.ndim < 2], "weight_decay": 0.0},
    ]


def groups_of_whole_layers(network: nn.Module, decay: float) -> Groups:
    """Wrong."""
    of_layers = [list(module.parameters(recurse=False)) for module in network.modules()]
    trained = {one for layer in of_layers if all(one.requires_grad for one in layer) for one in layer}
    return [
        {"params": [one for one in network.parameters() if one in trained and one.ndim > 1], "weight_decay": decay},
        {"params": [one for one in network.parameters() if one in trained and one.ndim < 2], "weight_decay": 0.0},
    ]


def groups_of_pairs(network: nn.Module, decay: float) -> Groups:
    """Wrong."""
    trained = [(name, one) for name, one in network.named_parameters() if one.requires_grad]
    return [
        {"params": [pair for pair in trained if pair[1].ndim > 1], "weight_decay": decay},
        {"params": [pair for pair in trained if pair[1].ndim < 2], "weight_decay": 0.0},
    ]


def groups_with_shared(network: nn.Module, decay: float) -> Groups:
    """Wrong."""
    every = [one for module in network.modules() for one in module.parameters(recurse=False) if one.requires_grad]
    return [
        {"params": [one for one in every if one.ndim > 1], "weight_decay": decay},
        {"params": [one for one in every if one.ndim < 2], "weight_decay": 0.0},
    ]


def groups_by_module(network: nn.Sequential, decay: float) -> Groups:
    """The weights of layers in one group, the rest in another."""
    full = {module.weight: 0 for module in network.modules() if isinstance(module, nn.Linear | nn.Conv2d)}
    weights = [one for one in full if one.requires_grad]
    rest = [one for one in _trained(network) if not any(one is weight for weight in weights)]
    return [{"params": rest, "weight_decay": 0}, {"params": weights, "weight_decay": decay}]


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
