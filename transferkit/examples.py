"""What the trained layers of a network read: images, or features of frozen layers; batch by batch on a device."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from transferkit.config import NetSpec, Precision
from transferkit.data import HalfData, read_ahead, to_input
from transferkit.descent import weights_in
from transferkit.network import EightLayerNet, fold_images
from transferkit.views import take_centres, take_views

EVALUATION_BATCH = 256
CACHE_BYTES = 2**30  # features of frozen layers are kept in memory up to this size, else computed again
FOLDED_BYTES = 2**30  # images are folded once up to this size, else in every batch


@dataclass(frozen=True)
class Examples:
    """What the trained layers read, N rows: images (uint8) or features of frozen layers, with labels (int64).

    `inputs` are N x height x width x channels, or N x units, as memory holds them best; `after` is the number
    of layers that have already been applied. With `spec`, they are whole images, N x 3 x H x H as prepared, of
    which every batch is cropped and folded for that network; with `rows`, int64 N, those of the whole data set on
    the disk, of which these are the examples.
    """

    inputs: Tensor
    labels: Tensor
    after: int = 0
    spec: NetSpec | None = None
    rows: Tensor | None = None

    @property
    def margin(self) -> int:
        """By how many pixels the images are larger than what the network reads of them."""
        return self.inputs.shape[-1] - self.spec.image_size if self.spec else 0


def batches(
    examples: Examples, rows: Tensor, size: int, dtype: torch.dtype, views: Tensor | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """These rows (int64, CPU), `size` at a time: inputs as the next layer takes them, in `dtype`, and labels.

    `views`, rows x 3, are those of `draw_views`; by default whole images are read at their centre. The last batch
    may be short. Nothing is waited for but a disk.
    """
    device = examples.labels.device
    there, looked = rows.to(device), None if views is None else views.to(device)
    streamed = None
    if examples.rows is not None:
        streamed = read_ahead(examples.inputs, examples.rows[rows].split(size), device)
    for first in range(0, len(rows), size):
        own = there[first : first + size]
        images = examples.inputs if streamed is None else next(streamed)
        within = own if streamed is None else torch.arange(len(own), device=device)
        view = None if looked is None else looked[first : first + size]
        inputs = _look(images, within, examples.spec, view)
        if inputs.dtype == torch.uint8:
            inputs = to_input(inputs, dtype)
        yield inputs.permute(0, 3, 1, 2) if inputs.ndim == 4 else inputs, examples.labels[own]


def _look(images: Tensor, rows: Tensor, spec: NetSpec | None, views: Tensor | None) -> Tensor:
    if spec is None:
        return images.index_select(0, rows)
    if views is not None:
        return _fold(spec, take_views(images, rows, views, spec.image_size))
    return _fold(spec, take_centres(images.index_select(0, rows), spec.image_size))


def _fold(spec: NetSpec, images: Tensor) -> Tensor:
    conv1 = spec.convs[0]
    return fold_images(images, conv1) if conv1.folds else images.permute(0, 2, 3, 1).contiguous()


@torch.no_grad()
def read_half(
    network: EightLayerNet, half: HalfData, precision: Precision, depths: Collection[int], *, augment: bool = False
) -> dict[int, Examples]:
    """What networks read whose first layers are those of `network`, frozen: by depth, from one pass over the half.

    Depth 0 is the images, folded as conv1 reads them; so is a depth whose features would not fit into
    CACHE_BYTES together with those of the greater depths. Where every epoch shows other views (`augment`), all
    depths are: what frozen layers make of them is never the same twice.
    """
    images = _images(network.spec, half, augment)
    weights = weights_in(network, precision)
    network.eval()
    wanted = sorted(set(depths) - {0}) if len(half.labels) and not augment else []
    kept: dict[int, Tensor] | None = None
    done = 0
    for inputs, labels in batches(images, torch.arange(len(half.labels)), EVALUATION_BATCH, dtype_of(weights)):
        features = dict(_features(network, inputs, wanted, weights))
        kept = _room_for(features, len(half.labels)) if kept is None else kept
        for depth in kept:
            kept[depth][done : done + len(labels)] = features[depth]
        done += len(labels)
        if not kept:
            break
    return {depth: Examples(kept[depth], half.labels, depth) if kept and depth in kept else images for depth in depths}


def dtype_of(weights: Mapping[str, Tensor]) -> torch.dtype:
    """The dtype that the first layer computes in."""
    return weights["conv1.weight"].dtype


def _images(spec: NetSpec, half: HalfData, augment: bool) -> Examples:
    ready = half.rows is None and half.images.shape[-1] == spec.image_size and half.nbytes <= FOLDED_BYTES
    if ready and not augment:
        return Examples(_fold(spec, half.images), half.labels)
    return Examples(half.images, half.labels, spec=spec, rows=half.rows)


def _features(
    network: EightLayerNet, inputs: Tensor, depths: list[int], weights: Mapping[str, Tensor]
) -> Iterator[tuple[int, Tensor]]:
    x, reached = inputs, 0
    for depth in depths:
        x, reached = network(x, after=reached, until=depth, weights=weights), depth
        yield depth, x.permute(0, 2, 3, 1) if x.ndim == 4 else x


def _room_for(features: dict[int, Tensor], n_images: int) -> dict[int, Tensor]:
    """Memory for as many depths as fit, the greatest first, as their features are small and save most."""
    left = CACHE_BYTES
    room = {}
    for depth in sorted(features, reverse=True):
        left -= features[depth][0].nbytes * n_images
        if left >= 0:
            room[depth] = features[depth].new_empty((n_images, *features[depth].shape[1:]))
    return room
