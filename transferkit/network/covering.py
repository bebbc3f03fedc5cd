"""A convolution over a map so small that each filter covers it from every place: one matrix, the same numbers, faster.

On such a map most of a padded convolution multiplies zeros, and processors take a map of 2x2 places badly.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from transferkit.nets import ConvSpec


def pays(conv: ConvSpec, x: Tensor) -> bool:
    """Whether the convolution can be computed so, where that was measured to be faster: on a processor, in float32."""
    return x.device.type == "cpu" and x.dtype != torch.bfloat16 and conv.covers(x.shape[-1])


def convolve_covering(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """`F.conv2d` with stride 1 and as much padding as leaves the size, where `ConvSpec.covers` holds.

    N x C x H x H to N x filters x H x H, channels last in memory; gradients flow as through the convolution.
    """
    images, size = len(x), x.shape[-1]
    flat = F.linear(x.permute(0, 2, 3, 1).flatten(1), covering_matrix(weight, size), bias.repeat(size**2))
    return flat.view(images, size, size, len(weight)).permute(0, 3, 1, 2)


def covering_matrix(weight: Tensor, size: int) -> Tensor:
    """Filters x C x k x k as one matrix, (H^2 filters) x (H^2 C), places before channels, for a map of side H."""
    filters, channels, kernel = weight.shape[:3]
    taps = weight.permute(0, 2, 3, 1).reshape(-1, channels)
    read = torch.from_numpy(_taps(filters, kernel, size))
    return taps.index_select(0, read).view(size**2 * filters, -1)


@lru_cache(maxsize=16)  # of all layers of some networks; asked for in every step
def _taps(filters: int, kernel: int, size: int) -> np.ndarray:
    """Which row, of filters x k^2, each place of the output's filters reads each place of the input with; int64."""
    place = np.arange(size)
    offset = place[None, :] - place[:, None] + kernel // 2  # output x input, along one side
    tap = (offset[:, None, :, None] * kernel + offset[None, :, None, :]).reshape(size**2, 1, size**2)
    return (tap + np.arange(filters)[:, None] * kernel**2).ravel()
