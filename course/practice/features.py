"""What the first n layers of a network say about every picture: their outputs, pooled, for all n in one pass."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from transferkit.config import Device
from transferkit.disk import atomic
from transferkit.disk.store import Weights
from transferkit.hardware import usable_cores
from transferkit.network import LayeredNet, build
from transferkit.randomness import seed_from
from transferkit.specs import Net, StagedSpec
from transferkit.training.machine import threads

Origin = Literal["P", "R", "T", "V"]
ORIGINS: Mapping[Origin, str] = {  # what features come from, in a legend
    "P": "given weights", "T": "own network (T)", "V": "mean, deviation (V)", "R": "untrained (R)",
}  # fmt: skip
BATCH = 64
MEASURED = 512  # pictures on which batch normalisation is measured where its weights are drawn
PROTOCOL = 2  # goes up when features are computed otherwise, so that kept ones are not mistaken

Draw = tuple[int, int]  # a seed and a fold: which of many draws
Features = list[NDArray[np.float32]]  # at index n - 1: pictures x channels of layer n
Tell = Callable[[int, int], None]


def pool(x: Tensor) -> Tensor:
    """Features with one number per channel, N x C: the mean over the places of maps, or over the tokens.

    Maps are N x C x H x W, tokens N x T x C; the output of a fully connected layer, N x C, stays as it is.
    """
    return x.mean((2, 3)) if x.ndim == 4 else x.mean(1) if x.ndim == 3 else x


def compute_features(
    network: LayeredNet, images: NDArray[np.uint8], device: Device = "cpu", tell: Tell = lambda done, of: None
) -> Features:
    """The pooled features of every layer but the last, float32 by number of layers, of uint8 N x 3 x H x W."""
    network = network.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    pieces: list[list[NDArray[np.float32]]] = [[] for _ in network.layers[1:]]
    with torch.inference_mode(), threads(usable_cores()):
        for start in range(0, len(images), BATCH):
            x = to_network(network, images[start : start + BATCH], device)
            for depth, piece in enumerate(pieces):
                x = network(x, after=depth, until=depth + 1)
                piece.append(pool(x).float().cpu().numpy())
            tell(min(start + BATCH, len(images)), len(images))
    return [np.concatenate(piece) for piece in pieces]


def to_network(network: LayeredNet, images: NDArray[np.uint8], device: Device) -> Tensor:
    """Pictures as the first layer reads them."""
    return network.to_input(network.held(torch.from_numpy(np.array(images)).to(device)), torch.float32)


def kept_features(path: Path, make: Callable[[], Features]) -> Features:
    """The features in the file at `path`; where there is none, those that `make` computes, which are kept there."""
    from course.practice.folds import packed

    if not path.is_file():
        atomic.write_bytes(path, packed({f"{n}": of_layer for n, of_layer in enumerate(make(), 1)}))
    with np.load(path) as found:
        return [found[f"{n}"] for n in range(1, len(found.files) + 1)]


def given_network(spec: Net, n_classes: int, weights: Weights) -> LayeredNet:
    """The network with given weights in every layer but the last, which stays untrained."""
    network = build(_plain(spec), n_classes)
    network.initialise(lambda layer: ("curve", layer))
    network.load_state_dict({name: torch.from_numpy(it) for name, it in weights.items()}, strict=False)
    return network


def untrained_network(spec: Net, n_classes: int, draw: Draw) -> LayeredNet:
    """The network with random weights that pass on a signal of full size (He et al. 2015)."""
    network = build(_plain(spec), n_classes)
    network.initialise(lambda layer: ("curve", *draw, "untrained", layer), he=True)
    return network


def drawn_network(
    spec: Net, n_classes: int, weights: Weights, draw: Draw, images: NDArray[np.uint8], device: Device = "cpu"
) -> LayeredNet:
    """The network whose weights are drawn: of the given ones only each tensor's mean and deviation are kept.

    So what features gain by scale alone is told from what they gain by what was learned (Raghu et al. 2019). The
    statistics of batch normalisation would not fit the drawn weights: they are measured anew on some `images`, without
    their labels.
    """
    network = given_network(spec, n_classes, weights)
    generator = torch.Generator().manual_seed(seed_from("curve", *draw, "drawn"))
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name in weights:
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.copy_(parameter.mean() + parameter.std(correction=0) * noise)
    network = network.to(device)
    normalisations = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    for module in normalisations:
        module.reset_running_stats()
        module.momentum = None  # the mean over all batches
        module.train()
    with torch.inference_mode(), threads(usable_cores()):
        step = max(1, len(images) // MEASURED)
        for part in np.array_split(images[::step], max(1, len(images[::step]) // BATCH)) if normalisations else ():
            network(to_network(network, part, device))
    return network.eval()


def _plain(spec: Net) -> Net:
    """The network without given weights of its own."""
    return replace(spec, start=None) if isinstance(spec, StagedSpec) else spec
