"""The first convolution over blocks of pixels: the same numbers, faster, as processors dislike three channels."""

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
    return _blocks(images[..., :needed, :needed], stride)


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
