"""Small networks for exercises, and their state read as plain data, whatever their classes pretend.

A network is a row of blocks, each a full layer with batch normalisation, under a plain head; or a row of full layers,
of which two may share their weights; or a row of convolutions. Networks that come back may be of torch's own classes
only. They are read through what torch keeps of them, never through methods, which a class or an object may replace.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from course.asking.chance import Chance
from course.asking.plain import FormError, Plain, what

_KNOWN = frozenset({nn.Sequential, nn.Linear, nn.Conv2d, nn.BatchNorm1d, nn.BatchNorm2d, nn.Flatten, nn.Tanh})
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_SETTINGS = ("track_running_stats", "momentum", "eps")
_MODULE_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
# All this is taken before any learner's code runs, which may replace what torch's classes hold.
_HELD = nn.Module.__dict__["__dict__"].__get__
_STORAGE, _ADDRESS = Tensor.untyped_storage, torch.UntypedStorage.data_ptr
_NEEDS_GRADIENT = torch._C.TensorBase.__dict__["requires_grad"].__get__
_TENSOR_HOOKS = tuple(
    torch._C.TensorBase.__dict__[name].__get__ for name in ("_backward_hooks", "_post_accumulate_grad_hooks")
)


def build(kind: str, widths: list[int], seed: int) -> nn.Sequential:
    """A network of blocks, layers, convolutions or tied layers, in training mode, as if it had been trained before.

    Its statistics are its own. The same seed gives the same network. Leaves the global generators alone.
    """
    pairs = list(pairwise(widths))
    with Chance():  # a new layer draws from torch's global generator
        return _drawn(_tied(pairs) if kind == "tied" else nn.Sequential(*_MAKERS[kind](pairs)), seed)


def build_blocks(widths: list[int], seed: int) -> nn.Sequential:
    """The network of blocks."""
    return build("blocks", widths, seed)


def _blocks(pairs: list[tuple[int, int]]) -> list[nn.Module]:
    blocks = (nn.Sequential(nn.Linear(*pair, bias=False), nn.BatchNorm1d(pair[1]), nn.Tanh()) for pair in pairs[:-1])
    return [*blocks, nn.Linear(*pairs[-1])]


def _layers(pairs: list[tuple[int, int]]) -> list[nn.Module]:
    return [nn.Linear(*pair) for pair in pairs]


def _convolutions(pairs: list[tuple[int, int]]) -> list[nn.Module]:
    stages = [(nn.Conv2d(*pair, 3, padding=1), nn.BatchNorm2d(pair[1]), nn.Tanh()) for pair in pairs[:-1]]
    return [*(module for stage in stages for module in stage), nn.Flatten(), nn.Linear(*pairs[-1])]


_MAKERS = {"blocks": _blocks, "layers": _layers, "convolutions": _convolutions}


def _tied(pairs: list[tuple[int, int]]) -> nn.Sequential:
    network = nn.Sequential(*_layers(pairs))
    network[1].weight = network[0].weight
    return network


def _drawn(network: nn.Sequential, seed: int) -> nn.Sequential:
    """The network with every parameter and statistic drawn anew, in the order of the modules."""
    generator = np.random.default_rng(seed)
    with torch.no_grad():
        for module in network.modules():
            for name, tensor in (module._parameters | module._buffers).items():
                if tensor is not None:
                    tensor.copy_(torch.from_numpy(_values(generator, name, tuple(tensor.shape))))
    return network.train()


def _values(generator: np.random.Generator, name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    if name == "num_batches_tracked":
        return np.array(int(generator.integers(5, 50)))
    if name == "running_var" or (name == "weight" and len(shape) == 1):
        return generator.uniform(0.5, 2, shape)
    inputs = float(np.prod(shape[1:])) if len(shape) > 1 else 4.0
    drawn: NDArray[np.float64] = generator.uniform(-1, 1, shape) / inputs**0.5
    return drawn


def tensors(state: Mapping[str, Plain]) -> dict[str, Tensor]:
    """A copy of a state as tensors."""
    return {name: torch.from_numpy(np.array(array)) for name, array in state.items()}


def layer_number(name: str) -> int:
    """The number, from 0, of the layer to which a name belongs."""
    return int(name.split(".")[0])


def children_of(network: object) -> list[nn.Module]:
    """The layers of a row. Raises FormError unless it is an nn.Sequential."""
    if type(network) is not nn.Sequential:
        raise FormError(f"{what(network)} instead of an nn.Sequential")
    return list(_part(network, "_modules").values())


def state_of(network: object) -> dict[str, Tensor]:
    """Every parameter and buffer by name, not copied: "0.1.running_mean" belongs to the second module of block 0.

    Raises FormError if some part is not of the classes that were given.
    """
    return {
        f"{place}{name}": tensor
        for place, module in _modules(network)
        for name, tensor in (_part(module, "_parameters") | _part(module, "_buffers")).items()
        if tensor is not None
    }


def names_of(network: nn.Module) -> dict[nn.Parameter, str]:
    """The name of each parameter; of one that stands in two places, the last."""
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


def settings_of(network: object) -> dict[str, Plain]:
    """What each normalisation is set to: by its place, whether it keeps statistics, its momentum and its epsilon."""
    norms = {place: module for place, module in _modules(network) if type(module) in _NORMS}
    return {place: {name: _HELD(module)[name] for name in _SETTINGS} for place, module in norms.items()}


def places_of(network: object) -> set[int]:
    """Where in memory the tensors of a network lie."""
    return {_ADDRESS(_STORAGE(tensor)) for tensor in state_of(network).values()}


def shared(one: object, other: object) -> list[Plain]:
    """The names of the tensors of `one` that lie in the same memory as some tensor of `other`."""
    taken = places_of(other)
    return [name for name, tensor in state_of(one).items() if _ADDRESS(_STORAGE(tensor)) in taken]


def _modules(module: object, place: str = "") -> Iterator[tuple[str, nn.Module]]:
    """A module and all in it; `place` is what stands before the names of its tensors, as in "0.1."."""
    if type(module) not in _KNOWN or "forward" in _HELD(module):
        raise FormError(f"a network with {what(module)} of your own instead of the layers that were given")
    assert isinstance(module, nn.Module)
    yield place, module
    for name, inner in _part(module, "_modules").items():
        yield from _modules(inner, f"{place}{name}.")


def _part(module: nn.Module, kind: str) -> dict[str, Any]:
    held: dict[str, Any] = _HELD(module)[kind]
    if type(held) is not dict:
        raise FormError(f"a network whose {kind[1:]} are kept in {what(held)} of your own instead of a dictionary")
    return held
