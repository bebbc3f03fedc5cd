"""Answers to the exercises of lesson 04, right and wrong."""

from copy import deepcopy

import torch
from torch import nn

from course.exercises.planted.answer import Planted


def planted() -> dict[str, Planted]:
    """The answers, by exercise."""
    return {
        "chop": Planted(
            right=(chop_by_state, chop_by_layers),
            wrong={
                "the last n layers are copied": chop_from_the_end,
                "one layer too few": lambda base, fresh, n: chop_by_layers(base, fresh, max(n - 1, 0)),
                "one layer too many": lambda base, fresh, n: chop_by_layers(base, fresh, n + 1),
                "everything is copied": lambda base, fresh, n: deepcopy(base),
                "nothing is copied": lambda base, fresh, n: deepcopy(fresh),
                "weights without biases": chop_weights_only,
                "the layers are shared with the base": lambda base, fresh, n: nn.Sequential(*base[:n], *fresh[n:]),
                "the layers above are shared with fresh": lambda base, fresh, n: nn.Sequential(
                    *deepcopy(base[:n]), *fresh[n:]
                ),
                "what is above is the base's": lambda base, fresh, n: nn.Sequential(*base[:n], *base[n:]),
                "the layers above are missing": lambda base, fresh, n: deepcopy(base[:n]),
                "base and fresh are swapped": lambda base, fresh, n: chop_by_layers(fresh, base, n),
                "the layers above are zero": chop_to_zero,
                "parameters without statistics": chop_parameters,
                "full layers only": chop_full_layers,
                "the statistics are shared": chop_sharing_statistics,
                "the base is put into evaluation": lambda base, fresh, n: chop_by_layers(base.eval(), fresh, n),
                "the base is put into training": lambda base, fresh, n: chop_by_layers(base.train(), fresh, n),
                "the base is frozen": lambda base, fresh, n: chop_by_layers(base.requires_grad_(False), fresh, n),
                "by the first digit": chop_by_digit,
            },
        )
    }


def chop_by_state(base: nn.Sequential, fresh: nn.Sequential, n: int) -> nn.Sequential:
    """Through the state dict, by the number in each name."""
    chopped = deepcopy(fresh)
    state = {name: value for name, value in base.state_dict().items() if int(name.split(".")[0]) < n}
    chopped.load_state_dict(state, strict=False)
    return chopped


def chop_by_layers(base: nn.Sequential, fresh: nn.Sequential, n: int) -> nn.Sequential:
    """Layer by layer."""
    return nn.Sequential(*(deepcopy(base[i] if i < n else fresh[i]) for i in range(len(base))))


def chop_from_the_end(base: nn.Sequential, fresh: nn.Sequential, n: int) -> nn.Sequential:
    """Wrong."""
    first = len(base) - n
    return nn.Sequential(*(deepcopy(base[i] if i >= first else fresh[i]) for i in range(len(base))))


def chop_parameters(base: nn.Sequential, fresh: nn.Sequential, n: int) -> nn.Sequential:
    """Wrong."""
    chopped = deepcopy(fresh)
    with torch.no_grad():
        for mine, theirs in zip(chopped[:n].parameters(), base[:n].parameters(), strict=True):
            mine.copy_(theirs)
    return chopped


def chop_full_layers(base: nn.Sequential, fresh: nn.Sequential, n: int) -> nn.Sequential:
    """Wrong."""
    chopped = deepcopy(fresh)
    for mine, theirs in zip(chopped[:n].modules(), base[:n].modules(), strict=True):
        if isinstance(mine, nn.Linear):
            mine.load_state_dict(theirs.state_dict())
    return chopped


def chop_sharing_statistics(base: nn.Sequential, fresh: nn.Sequential, n: int) -> nn.Sequential:
    """Wrong."""
    chopped = chop_by_layers(base, fresh, n)
    for mine, theirs in zip(chopped[:n].modules(), base[:n].modules(), strict=True):
        if isinstance(mine, nn.BatchNorm1d):
            vars(mine)["_buffers"]["running_mean"] = theirs.running_mean
    return chopped


def chop_by_digit(base: nn.Sequential, fresh: nn.Sequential, n: int) -> nn.Sequential:
    """Wrong."""
    chopped = deepcopy(fresh)
    state = {name: value for name, value in base.state_dict().items() if int(name[0]) < n}
    chopped.load_state_dict(state, strict=False)
    return chopped


def chop_weights_only(base: nn.Sequential, fresh: nn.Sequential, n: int) -> nn.Sequential:
    """Wrong."""
    chopped = deepcopy(fresh)
    state = {name: value for name, value in base.state_dict().items() if int(name[0]) < n and "weight" in name}
    chopped.load_state_dict(state, strict=False)
    return chopped


def chop_to_zero(base: nn.Sequential, fresh: nn.Sequential, n: int) -> nn.Sequential:
    """Wrong."""
    chopped = chop_by_layers(base, fresh, n)
    for layer in chopped[n:]:
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.zero_()
    return chopped
