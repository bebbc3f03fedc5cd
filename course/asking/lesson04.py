"""How the exercises of lesson 04 are asked.

What a network is, is read off it as plain data, and the judge trains networks of its own by that. So nothing depends
on methods that an answer may have replaced, nor on an optimiser.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import nn

from course.asking.networks import (
    build_blocks,
    build_layers,
    children_of,
    decay_of,
    flags_of,
    layer_number,
    names_of,
    shared,
    state_of,
    tensors,
)  # fmt: skip
from transferkit.errors import DataError


def ask_chop(answer: Any, given: Mapping[str, Any]) -> object:
    """The layers of the new network and of the two that were given, and which tensors the new one has in common."""
    base, fresh = build_layers(given["base"]), build_layers(given["fresh"])
    chopped = answer(base, fresh, given["n"])
    if chopped is None:
        return None
    networks = {"layers": chopped, "base": base, "fresh": fresh}
    layers = {name: [state_of(layer) for layer in children_of(one)] for name, one in networks.items()}
    return {**layers, "shared": shared(chopped, base), "shared fresh": shared(chopped, fresh)}


def ask_freeze(answer: Any, given: Mapping[str, Any]) -> object:
    """The network's state, and by their names what of it needs a gradient, is in training mode, or has a hook."""
    network = answer(build_blocks(given["widths"], given["seed"]), given["n"])
    return None if network is None else {"state": state_of(network), **flags_of(network)}


def ask_parameter_groups(answer: Any, given: Mapping[str, Any]) -> object:
    """The groups, as torch's SGD would read them: the names of their parameters, and the decay of each group."""
    network = build_blocks(given["widths"], given["seed"])
    names = names_of(network)
    for parameter, name in names.items():
        parameter.requires_grad_(layer_number(name) >= given["n"])
    groups = answer(network, given["decay"])
    if groups is None:
        return None
    listed = [group if isinstance(group, dict) else {"params": [group]} for group in groups]
    return [{"names": [_name(one, names) for one in _parameters(group)], "decay": decay_of(group)} for group in listed]


def _parameters(group: Mapping[str, Any]) -> Iterator[object]:
    params = group["params"]
    for one in [params] if isinstance(params, torch.Tensor) else params:
        yield one[1] if isinstance(one, tuple) else one  # torch takes pairs of a name and a parameter too


def _name(one: object, names: Mapping[nn.Parameter, str]) -> str:
    if not isinstance(one, torch.Tensor):
        raise DataError(f"a {type(one).__name__} stands among the parameters of a group.")
    return next((name for parameter, name in names.items() if parameter is one), "")


def ask_audit(answer: Any, given: Mapping[str, Any]) -> object:
    """The names that are reported."""
    before, after = (tensors(given[name]) for name in ("before", "after"))
    found = answer(before, after, list(given["frozen"]))
    return None if found is None else sorted(str(name) for name in found)


def ask_find_bug(answer: Any, given: Mapping[str, Any]) -> object:
    """The word for the bug. All that `step` holds is what each of its calls shows: the next state of the network."""
    network = build_blocks(given["widths"], given["seed"])
    return answer(network, _replay(state_of(network), given["states"]), given["n"])


def _replay(own: Mapping[str, torch.Tensor], states: list[Mapping[str, Any]]) -> Callable[[], None]:
    """A function that brings a network, given its own tensors, to the next of these states, each time it is called."""
    left = iter(states)

    def step() -> None:
        state = next(left, None)
        if state is None:
            raise RuntimeError(f"only {len(states)} steps were recorded: conclude from these.")
        with torch.no_grad():
            for name, tensor in own.items():
                tensor.copy_(torch.from_numpy(state[name]))

    return step
