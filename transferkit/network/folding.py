"""The first convolution over blocks of pixels: the same numbers, faster, as processors dislike three channels."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from transferkit.nets import ConvSpec


def fold_images(images: Tensor, conv: ConvSpec) -> Tensor:
    """Blocks of stride x stride pixels as channels, so that `conv` can go over them in steps of one block.

    N x 3 x H x W of any dtype to N x h x w x (3 stride^2), without the margin that is never pooled, and with
    zeros where the last filter overhangs. With `fold_filters` it is the same convolution, which processors do
    faster: they dislike three channels and large steps.
    """
    stride, outputs = conv.stride, (images.shape[-1] - conv.kernel) // conv.stride + 1
    if conv.pool:
        outputs -= (outputs - 3) % 2
    needed = (outputs - 1) * stride + conv.kernel
    seen = images[..., :needed, :needed]
    if images.dtype == torch.uint8 and images.device.type == "cpu" and needed % stride == 0:
        return _take_blocks(images, seen.shape[1:], stride)
    return _blocks(seen, stride)


def fold_filters(weight: Tensor, stride: int) -> Tensor:
    """Filters x 3 x k x k as they read folded images: filters x (3 stride^2) x b x b, channels last in memory."""
    return _blocks(weight, stride).permute(0, 3, 1, 2)


def _blocks(x: Tensor, stride: int) -> Tensor:
    """N x C x H x H to N x h x h x (C stride^2), the last blocks filled with zeros."""
    n, channels, size = x.shape[:3]
    blocks = -(-size // stride)
    if missing := blocks * stride - size:
        x = F.pad(x, (0, missing, 0, missing))
    apart = x.reshape(n, channels, blocks, stride, blocks, stride)
    return apart.permute(0, 2, 4, 3, 5, 1).reshape(n, blocks, blocks, -1)


def _take_blocks(images: Tensor, seen: torch.Size, stride: int) -> Tensor:
    """What `_blocks` makes of the corner of the images that is `seen`, C x H x H, in a third of its time."""
    size = seen[-1]
    places = torch.arange(images[0].numel()).view(1, *images.shape[1:])[..., :size, :size]
    order = _blocks(places, stride)
    folded = images.new_empty(len(images), *order.shape[1:])
    rows, columns = images.flatten(1).numpy(), order.flatten().numpy()
    np.take(rows, columns, axis=1, out=folded.flatten(1).numpy(), mode="clip")  # the mode that writes into `out`
    return folded
