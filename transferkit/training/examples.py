"""What the trained layers of a network read: batches of images, or of the features of its frozen layers."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

import torch
from torch import Tensor

from transferkit.config import Precision
from transferkit.network import LayeredNet
from transferkit.network.views import take_centres, take_views
from transferkit.training.data import PIECE, HalfData, read_ahead
from transferkit.training.optimiser import weights_in

EVALUATION_BATCH = 256
CACHE_BYTES = 2**30  # features of frozen layers are kept in memory up to this size, and larger ones computed again
HELD_BYTES = 2**30  # images up to this size are brought into the network's layout once, larger ones in every batch

Batches = Sequence[Tensor] | Tensor  # the first dimension of a tensor counts the batches


@dataclass(frozen=True)
class Examples:
    """N images (uint8) or features of frozen layers, which the trained layers read, and their labels (int64).

    `inputs` are N x height x width x channels, or N x units; `after` is the number of layers that have already been
    applied. With `whole`, they are images as prepared, N x 3 x H x H, from which each batch cuts what the network
    reads. If `rows`, int64 N, is given, `inputs` holds the whole data set on the disk, and the examples are these rows.
    """

    inputs: Tensor
    labels: Tensor
    after: int = 0
    whole: bool = False
    rows: Tensor | None = None


def batches(
    network: LayeredNet, examples: Examples, rows: Batches, weights: Mapping[str, Tensor],
    views: Batches | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:  # fmt: skip
    """Yield a batch for each of `rows` (int64, CPU): inputs for the next layer, in the weights' dtype, and labels.

    `views`, one for each of `rows`, are those of `draw_views`; without them, whole images are read at their centre.
    This waits for the disk if need be, and never for the GPU.
    """
    device, size = examples.labels.device, network.spec.image_size
    read = None if examples.rows is None else read_ahead(examples.inputs, [examples.rows[own] for own in rows], device)
    for own, view in zip(_moved(rows, device), repeat(None) if views is None else _moved(views, device), strict=False):
        images, places = (examples.inputs, own) if read is None else (next(read), torch.arange(len(own), device=device))
        if examples.whole and view is not None:
            inputs = network.held(take_views(images, places, view, size))
        else:
            inputs = images.index_select(0, places)
            inputs = network.held(take_centres(inputs, size)) if examples.whole else inputs
        if inputs.dtype == torch.uint8:
            inputs = network.to_input(inputs, weights[network.spec.first_filters].dtype, view)
        elif inputs.ndim == 4:
            inputs = inputs.permute(0, 3, 1, 2)
        yield inputs, examples.labels[own]


def _moved(parts: Batches, device: torch.device) -> Sequence[Tensor]:
    """The parts on a device, moved by a single transfer instead of one for each batch."""
    if not len(parts):
        return ()
    moved: tuple[Tensor, ...] = torch.cat(tuple(parts)).to(device).split([len(part) for part in parts])
    return moved


@torch.no_grad()
def read_half(
    network: LayeredNet, half: HalfData, precision: Precision, depths: Collection[int], *, augment: bool = False
) -> dict[int, Examples]:
    """Compute what trained layers read above the frozen first layers of `network`, by depth, in one pass over the half.

    At depth 0 they read the images; at depth n, the features of layer n, which never change, with three exceptions.
    A frozen layer that reads dropped-out inputs gives other features in every step: its depth gets the features of
    `steady_depth`, from which every step computes it again. With `augment`, every epoch shows other views, so that all
    depths get the images. So does a depth whose features, with those of greater depths, exceed CACHE_BYTES.
    """
    images = Examples(half.images, half.labels, whole=True, rows=half.rows)
    fitting = half.images.shape[-1] == network.spec.image_size and half.nbytes <= HELD_BYTES
    if fitting and half.rows is None and not augment:
        images = Examples(network.held(half.images), half.labels)
    weights = weights_in(network, precision)
    network.eval()
    steady = {depth: network.steady_depth(depth) for depth in depths}
    wanted = sorted(set(steady.values()) - {0}) if len(half.labels) and not augment else []
    kept: dict[int, Tensor] | None = None
    done = 0
    for inputs, labels in batches(network, images, torch.arange(len(half.labels)).split(EVALUATION_BATCH), weights):
        features = dict(_features(network, inputs, wanted, weights))
        kept = _room_for(features, len(half.labels)) if kept is None else kept
        for depth in kept:
            kept[depth][done : done + len(labels)] = features[depth]
        done += len(labels)
        if not kept:
            break
    read = {depth: Examples(features, half.labels, depth) for depth, features in (kept or {}).items()}
    return {depth: read.get(below, images) for depth, below in steady.items()}


def _features(
    network: LayeredNet, inputs: Tensor, depths: list[int], weights: Mapping[str, Tensor]
) -> Iterator[tuple[int, Tensor]]:
    x, reached = inputs, 0
    for depth in depths:
        x, reached = network(x, after=reached, until=depth, weights=weights), depth
        yield depth, x.permute(0, 2, 3, 1) if x.ndim == 4 else x


def _room_for(features: dict[int, Tensor], n_images: int) -> dict[int, Tensor]:
    """Memory for as many depths as fit, the greatest first: their features are the smallest and save the most work."""
    left = CACHE_BYTES
    room = {}
    for depth in sorted(features, reverse=True):
        left -= features[depth][0].nbytes * n_images
        if left >= 0:
            room[depth] = features[depth].new_empty((n_images, *features[depth].shape[1:]))
    return room


def mean_image(half: HalfData) -> Tensor:
    """The mean of all images of a half, float32 3 x H x W in 0..255, on the CPU; the same bits in any order."""
    total = torch.zeros(half.images.shape[1:], dtype=torch.int64, device=half.images.device)
    rows = torch.arange(len(half.labels)) if half.rows is None else half.rows
    for piece in rows.split(PIECE):
        total += half.images[piece.to(half.images.device)].sum(0, dtype=torch.int64)
    return (total.double() / len(half.labels)).float().cpu()
