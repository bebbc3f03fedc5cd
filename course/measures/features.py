"""What the layers of bases compute from a target's images, and how far a linear stitch between two bases gets."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from transferkit.disk.prepared import Part
from transferkit.errors import UsageError
from transferkit.network import LayeredNet
from transferkit.training.data import HalfData, open_half
from transferkit.training.examples import EVALUATION_BATCH, Examples, batches
from transferkit.training.study import Study
from transferkit.treatments import Half

MOST: Mapping[Part, int] = {"train": 8000, "valid": 4000}  # images of a half: enough for every measure, in a minute
MOST_UNITS = 1200  # of a layer with places; larger maps are averaged over places first
RIDGE = 1e-6  # of a stitch, in mean squares of the features it maps: only for channels that are always silent

Maps = Mapping[int, Tensor]
Labels = NDArray[np.integer]


@dataclass(frozen=True)
class Seen:
    """What one base computes from a target's training and validation images, by the layer's number from 1 on.

    Float32, images first. The last layer's are the base's own logits.
    """

    train: Maps
    valid: Maps


def target_images(study: Study, split: str, half: Half) -> tuple[HalfData, HalfData]:
    """The training images that a network of this half sees, and its validation images; the first MOST of them.

    Each class gives as many. Raises what `open_half` raises, and UsageError for a class with fewer than two images.
    """
    halves = study.prepared.split(split)
    limit = study.setting.recipe.images_per_class
    train = open_half(study.prepared, halves, half, "train", images_per_class=limit)
    valid = open_half(study.prepared, halves, half, "valid")
    train, valid = _first_of_each(train, MOST["train"]), _first_of_each(valid, MOST["valid"])
    counts = torch.bincount(train.labels, minlength=train.n_classes)
    if int(counts.min()) < 2:
        raise UsageError(
            f"a class of half {half} has {int(counts.min())} training images: prepare data with two or more of each."
        )
    return train, valid


def _first_of_each(half: HalfData, most: int) -> HalfData:
    """The same half with at most `most` images in all: the first ones of each class, in the same order."""
    each = max(2, most // half.n_classes)
    rank = (F.one_hot(half.labels, half.n_classes).cumsum(0) - 1).gather(1, half.labels[:, None])[:, 0]
    kept = rank < each
    assert half.rows is not None
    return replace(half, labels=half.labels[kept], rows=half.rows[kept])


def see(network: LayeredNet, images: tuple[HalfData, HalfData], device: str) -> Seen:
    """What a base computes from training and validation images. The maps stay on the CPU."""
    train, valid = (layer_maps(network, half, device) for half in images)
    return Seen(train, valid)


@torch.inference_mode()
def layer_maps(network: LayeredNet, half: HalfData, device: str = "cpu") -> dict[int, Tensor]:
    """What each layer computes from all images of a half: float32, images first, by the layer's number from 1 on."""
    network = network.to(device).eval()
    rows = torch.arange(len(half.labels)).split(EVALUATION_BATCH)
    examples = Examples(half.images, half.labels.to(device), whole=True, rows=half.rows)
    found: dict[int, list[Tensor]] = {}
    for x, _ in batches(network, examples, rows, dict(network.named_parameters())):
        for depth in range(len(network.layers)):
            x = network(x, after=depth, until=depth + 1)
            found.setdefault(depth + 1, []).append(x.cpu())
    return {depth: torch.cat(parts) for depth, parts in found.items()}


def as_units(maps: Tensor) -> NDArray[np.float32]:
    """Features, float32 images x units, of a layer's maps, which are averaged over places if they have too many.

    Convolutions give images x channels x height x width, transformers images x tokens x channels.
    """
    if maps.ndim == 4 and maps[0].numel() > MOST_UNITS:
        maps = F.adaptive_avg_pool2d(maps, max(1, int((MOST_UNITS / maps.shape[1]) ** 0.5)))
    if maps.ndim == 3 and maps[0].numel() > MOST_UNITS:
        maps = maps.mean(dim=1)
    return maps.flatten(1).numpy()


@torch.inference_mode()
def stitch(source: Tensor, target: Tensor) -> Tensor:
    """The linear map, with a constant, that best gives a layer of the target base from that of the source base.

    source, target: a layer's maps of the same images. Float64, (channels of the source + 1) x channels of the target:
    a 1x1 convolution where layers have places, found by least squares over images and places (a direct matching,
    Csiszarik et al. 2021), in place of training.
    """
    inputs, outputs = (_by_channel(maps).double() for maps in (source, target))
    inputs = F.pad(inputs, (0, 1), value=1.0)
    power = inputs.T @ inputs
    power.diagonal().add_(RIDGE * power.diagonal().mean())
    solved: Tensor = torch.linalg.solve(power, inputs.T @ outputs)
    return solved


@torch.inference_mode()
def stitched_top1(source: Seen, target: Seen, base: LayeredNet, n: int, truth: Labels) -> float:
    """Top-1 (0..1) of the target base's layers above n on the source's layer n, mapped by the `stitch` of both."""
    weights = stitch(source.train[n], target.train[n])
    mapped = F.pad(_by_channel(source.valid[n]).double(), (0, 1), value=1.0) @ weights
    like = _channels_last(target.valid[n])
    maps = mapped.float().reshape(like.shape)
    maps = maps.permute(0, 3, 1, 2) if maps.ndim == 4 else maps
    logits = base.cpu()(maps.contiguous(), after=n)
    return top1(logits, truth)


def top1(logits: Tensor, truth: Labels) -> float:
    """The share of images whose largest output is that of their class."""
    return float((logits.argmax(dim=1).numpy() == truth).mean())


def _channels_last(maps: Tensor) -> Tensor:
    return maps.permute(0, 2, 3, 1) if maps.ndim == 4 else maps


def _by_channel(maps: Tensor) -> Tensor:
    """Images and places x channels."""
    last = _channels_last(maps)
    return last.reshape(-1, last.shape[-1])
