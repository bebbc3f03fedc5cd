"""The first layer in a file of weights, or in torchvision's by name: which one it is, and its filters in colour."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from transferkit.errors import DataError, UsageError
from transferkit.network.weights_file import State, convolutions, plain, read_state

NEEDED = "floating-point filters x 3 x k x k with k of 2 or more"
SHOWN = 8  # the most layers or names that an error lists
# Names of layers that make images rather than look at them; and of those that only begin a network.
OUTPUTS = (
    r"(^|[._/])(dec(od\w*)?|(de|up|t)conv\w*|gen(erator)?|out(c|put)?|to_?rgb|up(sampl\w*)?|last|final|transposed?|"
    r"reconstruct\w*)\d*($|[._/])"
)
STEM = r"stem|patch_embed|conv_?(in|first|init)\b"

Bands = tuple[int, int, int]  # channels, from 1 on, that are red, green and blue
RGB: Bands = (1, 2, 3)
BGR: Bands = (3, 2, 1)


@dataclass(frozen=True)
class NamedFilters:
    """The filters of one layer, float32 filters x 3 x k x k, with the file or name that they come from.

    `channels` says which of the layer's became red, green and blue: "RGB", "BGR", "grey" for a single one, or the
    numbers of its bands. `others` are the layers that could be meant as well.
    """

    layer: str
    weights: NDArray[np.float32]
    source: str
    channels: str = "RGB"
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The layer, with its channels unless they are RGB."""
        return self.layer + ("" if self.channels == "RGB" else f" ({self.channels})")


def load_filters(weights: str, layer: str | None = None, bands: Bands | None = None) -> NamedFilters:
    """Read filters from a weights file if there is one, else from torchvision's weights of that name.

    Raises UsageError when there are neither, and what `read_filters` and `named_filters` raise.
    """
    path = Path(weights)
    if os.path.isfile(path) or (os.path.exists(path) and weights.lower() not in _catalogue()):
        return read_filters(path, layer, bands)
    return named_filters(weights, layer, bands)


def read_filters(path: Path, layer: str | None = None, bands: Bands | None = None) -> NamedFilters:
    """Read the filters of a layer, as float32, from a safetensors or PyTorch file.

    `layer` may end in ".weight" or not. Without it, takes the first layer that looks at images, by the order of the
    file and by names. `bands` go with a layer of three channels or more; a single one is grey.
    Raises UsageError for a path, layer or band that does not exist or does not fit, DataError for a file that is
    damaged, carries code, or has no such filters.
    """
    return _choose(read_state(path), layer, str(path), bands)


def named_filters(name: str, layer: str | None = None, bands: Bands | None = None) -> NamedFilters:
    """Filters from torchvision's pretrained weights: "resnet50" or "ResNet50_Weights.IMAGENET1K_V2", in any case.

    They are downloaded once and kept in torch's cache. Raises UsageError for an unknown name or layer, DataError when
    the download fails or the cached file is damaged.
    """
    catalogue = _catalogue()
    weights = catalogue.get(name.lower())
    if weights is None:
        close = get_close_matches(name.lower(), catalogue, SHOWN) or ["alexnet", "resnet50", "vit_b_16"]
        names = f"a name that torchvision has weights for, such as {', '.join(close)}"
        raise UsageError(f"{name!r} is neither a weights file nor {names}.")
    cached = Path(torch.hub.get_dir(), "checkpoints", Path(weights.url).name)
    try:
        if not cached.exists():
            cached.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(weights.url, str(cached), cached.stem.split("-")[-1], progress=False)
    except (OSError, RuntimeError) as problem:  # no network, or another checksum
        remedy = "try again with a network, or give a file with --weights FILE"
        raise DataError(f"{weights!r} could not be fetched from {weights.url} ({problem}): {remedy}.") from None
    try:
        state = read_state(cached)
    except DataError as problem:
        raise DataError(f"{weights!r} cannot be read: remove {cached} and try again ({problem})") from None
    return _choose(state, layer, repr(weights), bands)


def _catalogue() -> dict[str, Any]:
    """The weights in torchvision by lower-case name: their own, or that of a model for its default weights."""
    from torchvision.models import get_model_weights, list_models  # here, since it is slow to import

    kinds = {model: get_model_weights(model).__members__ for model in list_models()}
    own = {f"{type(w).__name__}.{name}".lower(): w for members in kinds.values() for name, w in members.items()}
    return {model: members["DEFAULT"] for model, members in kinds.items() if "DEFAULT" in members} | own


def _choose(state: State, layer: str | None, source: str, bands: Bands | None) -> NamedFilters:
    state = {_layer(name): tensor for name, tensor in state.items()}
    layers = convolutions(state)
    suited = [name for name, filters in layers.items() if filters.shape[1] == 3 and _suits(filters, bands)]
    order = _from_the_first(layers)
    name = _first(layers, order, suited, bands) if layer is None else layer if layer in state else _layer(plain(layer))
    choice = f"choose {' or '.join(map(repr, suited[:SHOWN]))}"
    offer = choice if suited else "give another network's weights"
    if bands and min(bands) < 1:
        raise UsageError(
            f"--bands {' '.join(map(str, bands))} are no channels: count them from 1, as in --bands 3 2 1."
        )
    if name is None:
        why = NEEDED
        if suited:
            why = "by name or place, those of three channels make images or see what other layers made"
            offer = f"if one sees colours all the same, {choice} with --layer"
        elif order and (channels := layers[order[0]].shape[1]) > 3:
            why = f"{order[0]!r} sees {channels} channels; if these are bands, name three as --bands 3 2 1"
        elif re.search(r"-\d+-of-\d+\.", source):
            offer = "it is one of several shards; give the one that holds the first layer"
        raise DataError(f"{source} has no layer that sees colour images ({why}): {offer}.")
    if name not in state:
        raise UsageError(f"{source} has no layer {layer!r}: {offer}.")
    if name not in layers or not _suits(layers[name], bands):
        has = f"layer {name!r} of {source} has shape {tuple(state[name].shape)} and {state[name].dtype}"
        raise UsageError(f"{has}, but only {NEEDED} look at colours, or as many channels as --bands names: {offer}.")
    return _coloured(name, layers[name], source, bands, tuple(other for other in suited if other != name))


def _coloured(name: str, filters: Tensor, source: str, bands: Bands | None, others: tuple[str, ...]) -> NamedFilters:
    weights, (grey, bands) = filters.detach().float().numpy(), (filters.shape[1] == 1, bands or RGB)
    weights = weights.repeat(3, axis=1) if grey else weights[:, [band - 1 for band in bands]]
    if not np.isfinite(weights).all():
        raise DataError(f"layer {name!r} of {source} has numbers that are not finite: give another network's weights.")
    channels = "grey" if grey else {RGB: "RGB", BGR: "BGR"}.get(bands) or f"bands {' '.join(map(str, bands))}"
    return NamedFilters(name, weights, source, channels, others)


def _suits(filters: Tensor, bands: Bands | None) -> bool:
    _, channels, rows, columns = filters.shape
    return rows == columns > 1 and (channels in (1, 3) if bands is None else channels >= max(bands))


def _from_the_first(layers: Mapping[str, Tensor]) -> list[str]:
    """The layers that do not make images, by the file's order, or if that is the alphabet's, by stems and numbers."""
    order = [name for name in layers if not re.search(OUTPUTS, name, re.IGNORECASE)]
    return sorted(order, key=lambda name: (not _is_stem(name), _spelt(name))) if order == sorted(order) else order


def _first(layers: Mapping[str, Tensor], order: list[str], suited: list[str], bands: Bands | None) -> str | None:
    """The first suited layer that does not see what an earlier one made; else the very first if it is grey."""
    for place, name in enumerate(order):
        if name in suited and not any(_feeds(layers, order[0], other, name) for other in order[:place]):
            return name
    return order[0] if order and _suits(layers[order[0]], bands) else None


def _feeds(layers: Mapping[str, Tensor], lead: str, other: str, name: str) -> bool:
    """Whether an earlier layer makes three channels, or begins the network and sees no colours."""
    above = name.startswith(lead.rpartition(".")[0]) or (_is_stem(lead) and not _is_stem(name))
    return layers[other].shape[0] == 3 or (other == lead and above and layers[lead].shape[1] != 3)


def _is_stem(name: str) -> bool:
    return bool(re.search(STEM, name, re.IGNORECASE))


def _spelt(name: str) -> list[tuple[int, str]]:
    """A name as people sort it, who count its numbers."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _layer(name: str) -> str:
    """The layer of a tensor of filters."""
    return re.sub(r"[./](weight|kernel|w)(:0)?$", "", name)
