"""How the exercises of lesson 04 are asked.

What a network is, is read off it as plain data, and the judge trains networks of its own by that. So nothing depends
on methods that an answer may have replaced, nor on an optimiser.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from course.asking.forms import listed, number, texts
from course.asking.networks import (
    build,
    build_blocks,
    children_of,
    flags_of,
    names_of,
    places_of,
    settings_of,
    shared,
    state_of,
    tensors,
)  # fmt: skip
from course.asking.plain import FormError, what


def ask_chop(answer: Any, given: Mapping[str, Any]) -> object:
    """The layers of the new network and of the two that were given, and which tensors the new one has in common.

    Beside them the flags of the two that were given, which may not change either. A base of blocks is in evaluation
    mode, as after a training, one of layers in training mode.
    """
    base, fresh = (build(given["kind"], given["widths"], given[name]) for name in ("base", "fresh"))
    base.train(given["kind"] == "layers")
    chopped = answer(base, fresh, given["n"])
    if chopped is None:
        return None
    networks = {"layers": chopped, "base": base, "fresh": fresh}
    layers = {name: [state_of(layer) for layer in children_of(one)] for name, one in networks.items()}
    flags = {"flags of base": flags_of(base), "flags of fresh": flags_of(fresh)}
    return {**layers, **flags, "shared": shared(chopped, base), "shared fresh": shared(chopped, fresh)}


def ask_freeze(answer: Any, given: Mapping[str, Any]) -> object:
    """The network's state, and by their names what of it needs a gradient, is in training mode, or has a hook.

    Also how its normalisations are set, and whether it is the network that was given, or holds the very same tensors.
    """
    given_one = build_blocks(given["widths"], given["seed"])
    places = places_of(given_one)
    network = answer(given_one, given["n"])
    if network is None:
        return None
    same = network is given_one or places_of(network) <= places
    return {"state": state_of(network), **flags_of(network), "settings": settings_of(network), "same": same}


def ask_parameter_groups(answer: Any, given: Mapping[str, Any]) -> object:
    """The groups: the names of their parameters, and the decay of each."""
    network = build(given["kind"], given["widths"], given["seed"])
    names = names_of(network)
    for parameter, name in names.items():
        parameter.requires_grad_(name not in given["frozen"])
    groups = answer(network, given["decay"])
    return None if groups is None else [_group(group, names) for group in listed(groups)]


def _group(group: object, names: Mapping[nn.Parameter, str]) -> dict[str, Any]:
    if not isinstance(group, dict):
        raise FormError(f"a list that holds {what(group)} instead of a dictionary")
    for key in ("params", "weight_decay"):
        if key not in group:
            raise FormError(f"a group with the keys {', '.join(map(str, group))} and without {key!r}")
    return {"names": [_name(one, names) for one in listed(group["params"])], "decay": _decay(group["weight_decay"])}


def _decay(value: object) -> float:
    try:
        return number(value)
    except FormError as problem:
        raise FormError(f"a group whose weight_decay is {problem}") from problem


def _name(one: object, names: Mapping[nn.Parameter, str]) -> str:
    if not isinstance(one, torch.Tensor):
        raise FormError(f"a group whose params hold {what(one)} instead of parameters")
    return next((name for parameter, name in names.items() if parameter is one), "")


def ask_audit(answer: Any, given: Mapping[str, Any]) -> object:
    """The names that are reported."""
    before, after = (tensors(given[name]) for name in ("before", "after"))
    found = answer(before, after, list(given["frozen"]))
    return None if found is None else sorted(texts(found))


def ask_find_bug(answer: Any, given: Mapping[str, Any]) -> object:
    """The word for the bug. All that `step` holds is what each of its calls shows: the next state of the network."""
    network = build_blocks(given["widths"], given["seed"])
    found = answer(network, _replay(state_of(network), given["states"]), given["n"])
    if found is not None and not isinstance(found, str):
        raise FormError(what(found))
    return found


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
