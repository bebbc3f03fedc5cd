"""Small networks for exercises, and their state read as plain data, whatever their classes pretend.

A network is a row of blocks, each a full layer with batch normalisation, under a plain head; or a row of full layers.
Networks that come back may be of torch's own classes only. They are read through what torch keeps of them, never
through methods, which a class or an object may replace.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from course.asking.chance import Chance
from course.asking.plain import Plain
from transferkit.errors import DataError

_KNOWN = frozenset({nn.Sequential, nn.Linear, nn.BatchNorm1d, nn.Tanh})
_MODULE_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
# All this is taken before any learner's code runs, which may replace what torch's classes hold.
_HELD = nn.Module.__dict__["__dict__"].__get__
_STORAGE, _ADDRESS = Tensor.untyped_storage, torch.UntypedStorage.data_ptr
_NEEDS_GRADIENT = torch._C.TensorBase.__dict__["requires_grad"].__get__
_TENSOR_HOOKS = tuple(
    torch._C.TensorBase.__dict__[name].__get__ for name in ("_backward_hooks", "_post_accumulate_grad_hooks")
)


def build_blocks(widths: list[int], seed: int) -> nn.Sequential:
    """The network in training mode; the same seed gives the same network. Leaves the global generators alone."""
    generator, pairs = np.random.default_rng(seed), list(pairwise(widths))
    blocks = [
        nn.Sequential(_full(generator, *pair, bias=False), nn.BatchNorm1d(pair[1]), nn.Tanh()) for pair in pairs[:-1]
    ]
    return nn.Sequential(*blocks, _full(generator, *pairs[-1])).train()


def _full(generator: np.random.Generator, inputs: int, outputs: int, bias: bool = True) -> nn.Linear:
    with Chance(), torch.no_grad():  # a new layer draws from torch's global generator
        layer = nn.Linear(inputs, outputs, bias=bias)
        for parameter in layer.parameters():
            parameter.copy_(torch.from_numpy(generator.uniform(-1, 1, tuple(parameter.shape)) / inputs**0.5))
    return layer


def build_layers(layers: list[Mapping[str, Plain]]) -> nn.Sequential:
    """A row of full layers with these weights (outputs x inputs) and biases."""
    network = nn.Sequential()
    for layer in layers:
        state: Any = tensors(layer)
        full = nn.Linear(*state["weight"].T.shape)
        full.load_state_dict(state)
        network.append(full)
    return network


def tensors(state: Mapping[str, Plain]) -> dict[str, Tensor]:
    """A copy of a state as tensors."""
    return {name: torch.from_numpy(np.array(array)) for name, array in state.items()}


def layer_number(name: str) -> int:
    """The number, from 0, of the layer to which a name belongs."""
    return int(name.split(".")[0])


def children_of(network: object) -> list[nn.Module]:
    """The layers of a row. Raises DataError unless it is an nn.Sequential."""
    if type(network) is not nn.Sequential:
        raise DataError(f"a {type(network).__name__} came out instead of an nn.Sequential.")
    return list(_part(network, "_modules").values())


def state_of(network: object) -> dict[str, Tensor]:
    """Every parameter and buffer by name, not copied: "0.1.running_mean" belongs to the second module of block 0.

    Raises DataError if some part is not of the classes that were given.
    """
    return {
        f"{place}{name}": tensor
        for place, module in _modules(network)
        for name, tensor in (_part(module, "_parameters") | _part(module, "_buffers")).items()
        if tensor is not None
    }


def names_of(network: nn.Module) -> dict[nn.Parameter, str]:
    """The name of each parameter."""
    return {tensor: name for name, tensor in state_of(network).items() if isinstance(tensor, nn.Parameter)}


def flags_of(network: object) -> dict[str, Plain]:
    """The names of the tensors that need a gradient, of the modules in training mode, and of all that has a hook."""
    state, modules = state_of(network), dict(_modules(network))
    hooked = [name for name, tensor in state.items() if any(hooks(tensor) for hooks in _TENSOR_HOOKS)]
    hooked += [place for place, module in modules.items() if any(_HELD(module)[kind] for kind in _MODULE_HOOKS)]
    return {
        "needs gradient": [name for name, tensor in state.items() if _NEEDS_GRADIENT(tensor)],
        "in training": [place for place, module in modules.items() if _HELD(module)["training"]],
        "hooked": [*hooked],
    }


def shared(one: object, other: object) -> list[Plain]:
    """The names of the tensors of `one` that lie in the same memory as some tensor of `other`."""
    taken = {_ADDRESS(_STORAGE(tensor)) for tensor in state_of(other).values()}
    return [name for name, tensor in state_of(one).items() if _ADDRESS(_STORAGE(tensor)) in taken]


def decay_of(group: Mapping[str, Any]) -> float:
    """The weight decay of an optimiser's group: none unless it says so, as in torch's SGD."""
    return float(group.get("weight_decay", 0.0))


def _modules(module: object, place: str = "") -> Iterator[tuple[str, nn.Module]]:
    """A module and all in it; `place` is what stands before the names of its tensors, as in "0.1."."""
    if type(module) not in _KNOWN or "forward" in _HELD(module):
        raise DataError(f"the network holds a {type(module).__name__} of your own: keep to the layers that were given.")
    assert isinstance(module, nn.Module)
    yield place, module
    for name, inner in _part(module, "_modules").items():
        yield from _modules(inner, f"{place}{name}.")


def _part(module: nn.Module, kind: str) -> dict[str, Any]:
    held: dict[str, Any] = _HELD(module)[kind]
    if type(held) is not dict:
        raise DataError(f"{kind[1:]} are kept in a {type(held).__name__} of your own instead of a dictionary.")
    return held
