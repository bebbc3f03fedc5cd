"""Three faster ways to compute a convolution; only rounding tells them from the plain one.

- "folding": blocks of pixels become channels, so that conv1 has no stride. It serves every device and precision.
- "covering": where each filter sees its whole map (conv3 to conv5 of the small network), one matrix does it.
- "winners": the gradient of a pooled convolution (conv1, conv2) follows the places that won their pooling.

The last two are used where they were measured to pay: on a processor, in float32. `benchmarks/README.md` has the
seconds that each saves, from `python -m benchmarks.convolutions`.
"""

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from transferkit.specs import ConvSpec

Way = Literal["folding", "covering", "winners"]

WAYS: tuple[Way, ...] = ("folding", "covering", "winners")
_IN_ANY_ORDER = {"reassoc", "contract"}  # what Numba may do to sums; the other options assume that all is finite


def convolve(conv: ConvSpec, x: Tensor, weight: Tensor, bias: Tensor, ways: Collection[Way] = WAYS) -> Tensor:
    """The convolution of a layer, and its max-pooling unless batch normalisation comes in between, in these `ways`.

    N x C x H x H to N x filters x h x h. Images of a layer that folds may have gone through `fold_images` before.
    """
    pool = conv.pool and conv.norm != "batch"
    stride, padding = conv.stride, conv.padding
    if x.shape[1] > conv.groups * weight.shape[1] or ("folding" in ways and conv.folds):  # folded already, or to be
        x = x if x.shape[1] > weight.shape[1] else fold_images(x, conv).permute(0, 3, 1, 2)
        weight, stride, padding = fold_filters(weight, stride), 1, 0
    if "winners" in ways and stride == 1 and _winners_pay(conv, x):
        return convolve_and_pool(x, weight, bias, padding)
    if "covering" in ways and _covering_pays(conv, x):
        x = convolve_covering(x, weight, bias)
    else:
        x = F.conv2d(x, weight, bias, stride, padding, groups=conv.groups)
    return F.max_pool2d(x, 3, stride=2) if pool else x


def _winners_pay(conv: ConvSpec, x: Tensor) -> bool:
    """Whether `convolve_and_pool` was measured to be faster: in training, on a processor, in float32."""
    trained = torch.is_grad_enabled() and x.device.type == "cpu" and x.dtype == torch.float32
    return trained and conv.pool and conv.norm != "batch" and conv.groups == 1


def _covering_pays(conv: ConvSpec, x: Tensor) -> bool:
    """Whether `convolve_covering` was measured to be faster: on a processor, in float32."""
    return x.device.type == "cpu" and x.dtype != torch.bfloat16 and conv.covers(x.shape[-1])


def fold_images(images: Tensor, conv: ConvSpec) -> Tensor:
    """Turn blocks of stride x stride pixels into channels, so that `conv` can go over them in steps of one block.

    N x 3 x H x W of any dtype to N x h x w x (3 stride^2), without the margin that is never pooled, and with zeros
    where the last filter overhangs. With `fold_filters` it is the same convolution, but faster: processors are slow
    with three channels and large strides.
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
    """Fold filters x 3 x k x k in the same way: to filters x (3 stride^2) x b x b, channels last in memory."""
    return _blocks(weight, stride).permute(0, 3, 1, 2)


def _blocks(x: Tensor, stride: int) -> Tensor:
    """N x C x H x H to N x h x h x (C stride^2), the last blocks padded with zeros."""
    n, channels, size = x.shape[:3]
    blocks = -(-size // stride)
    if missing := blocks * stride - size:
        x = F.pad(x, (0, missing, 0, missing))
    apart = x.reshape(n, channels, blocks, stride, blocks, stride)
    return apart.permute(0, 2, 4, 3, 5, 1).reshape(n, blocks, blocks, -1)


def _take_blocks(images: Tensor, seen: torch.Size, stride: int) -> Tensor:
    """The same as `_blocks` of the images' corner of shape `seen`, C x H x H, in a third of the time."""
    size = seen[-1]
    places = torch.arange(images[0].numel()).view(1, *images.shape[1:])[..., :size, :size]
    order = _blocks(places, stride)
    folded = images.new_empty(len(images), *order.shape[1:])
    rows, columns = images.flatten(1).numpy(), order.flatten().numpy()
    np.take(rows, columns, axis=1, out=folded.flatten(1).numpy(), mode="clip")  # by default, NumPy buffers `out`
    return folded


def convolve_covering(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Compute `F.conv2d` with stride 1 and the padding that keeps the size, where `ConvSpec.covers` holds.

    N x C x H x H to N x filters x H x H, channels last in memory; gradients flow as through the convolution.
    """
    images, size = len(x), x.shape[-1]
    filters, channels, kernel = weight.shape[:3]
    taps = weight.permute(0, 2, 3, 1).reshape(-1, channels)
    read = torch.from_numpy(_taps(filters, kernel, size))
    matrix = taps.index_select(0, read).view(size**2 * filters, -1)  # places before channels in rows and columns
    flat = F.linear(x.permute(0, 2, 3, 1).flatten(1), matrix, bias.repeat(size**2))
    return flat.view(images, size, size, filters).permute(0, 3, 1, 2)


@lru_cache(maxsize=16)  # enough for the layers of a few networks; every step asks for them
def _taps(filters: int, kernel: int, size: int) -> np.ndarray:
    """The row, among filters x k^2, with which each output place and filter reads each input place; int64."""
    place = np.arange(size)
    offset = place[None, :] - place[:, None] + kernel // 2  # output x input, along one side
    tap = (offset[:, None, :, None] * kernel + offset[None, :, None, :]).reshape(size**2, 1, size**2)
    return (tap + np.arange(filters)[:, None] * kernel**2).ravel()


def convolve_and_pool(x: Tensor, weight: Tensor, bias: Tensor, padding: int = 0) -> Tensor:
    """Compute `F.max_pool2d(F.conv2d(x, weight, bias, padding=padding), 3, stride=2)`, with a cheaper gradient.

    The pooling passes a gradient to at most one place in four; the usual code multiplies the zeros of the others too.
    N x C x H x H and filters x C x k x k, channels last in memory, to N x filters x h x h; float32. An infinite or
    undefined number times one of those zeros is undefined, so where there is one, the usual code runs.
    """
    if not (x.detach().sum() + weight.detach().sum()).isfinite():
        return F.max_pool2d(F.conv2d(x, weight, bias, padding=padding), 3, stride=2)
    pooled: Tensor = _ConvolvedAndPooled.apply(x, weight, bias, padding)
    return pooled


class _ConvolvedAndPooled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, padding: int) -> Tensor:
        unread = (x.shape[-1] + 2 * padding - weight.shape[-1]) % 2  # pooling reads an odd number of places per side
        margin = [padding, padding - unread] * 2
        seen = F.pad(x, margin) if any(margin) else x
        pooled, winners = F.max_pool2d(F.conv2d(seen, weight, bias), 3, stride=2, return_indices=True)
        ctx.save_for_backward(seen, weight, winners)
        ctx.margin = margin
        return pooled

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        given = (*ctx.saved_tensors, slope)
        seen, filters, winners, slopes = (x.detach().permute(0, 2, 3, 1).contiguous() for x in given)
        where = winners.flatten(1, 2).numpy(), slopes.flatten(1, 2).numpy()
        of_x = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            spread = torch.zeros_like(seen)
            _compiled(spread_filters)(filters.numpy(), *where, spread.numpy())
            of_x = F.pad(spread.permute(0, 3, 1, 2), [-side for side in ctx.margin])
        if ctx.needs_input_grad[1]:
            gathered = torch.zeros_like(filters)
            _compiled(gather_filters)(seen.numpy(), *where, gathered.numpy())
            of_weight = gathered.permute(0, 3, 1, 2)
        if ctx.needs_input_grad[2]:
            of_bias = slope.sum((0, 2, 3))
        return of_x, of_weight, of_bias, None


@lru_cache
def _compiled(loop: Callable[..., None]) -> Callable[..., None]:
    """The loop as machine code, which Numba caches beside this file or in the user's cache folder, if it can."""
    from numba import njit  # here, since it takes most of a second to import

    try:
        return njit(cache=True, fastmath=_IN_ANY_ORDER, nogil=True)(loop)
    except RuntimeError:  # no cache folder can be written
        return njit(cache=False, fastmath=_IN_ANY_ORDER, nogil=True)(loop)


def gather_filters(seen: np.ndarray, winners: np.ndarray, slopes: np.ndarray, gathered: np.ndarray) -> None:
    """Add to `gathered`, shaped like the filters, the input that each saw where it won the pooling, times the slope.

    All arrays are contiguous: `seen` N x H x W x C with its margin, filters F x k x k x C, `winners` and `slopes`
    N x P x F, where `winners` (int64) numbers the places of each filter's map row by row. Four winners are added at
    once, since most of the time goes into reading and writing the sum.
    """
    images, height, width, channels = seen.shape
    passed, filters = slopes.shape[1:]
    kernel = gathered.shape[1]
    rows, line, reach = seen.reshape(-1), width * channels, kernel * channels
    sums = gathered.reshape(filters, kernel, reach)
    columns = width - kernel + 1
    corners = np.array(
        [place // columns * line + place % columns * channels for place in range((height - kernel + 1) * columns)]
    )
    starts, times = np.zeros(passed + 4, np.int64), np.zeros(passed + 4, slopes.dtype)
    for image in range(images):
        for own in range(filters):
            count = 0
            for place in range(passed):
                starts[count] = image * height * line + corners[winners[image, place, own]]
                times[count] = slopes[image, place, own]
                count += times[count] != 0
            starts[count : count + 3], times[count : count + 3] = 0, 0
            for first in range(0, count, 4):
                a, b, c, d = times[first], times[first + 1], times[first + 2], times[first + 3]
                for row in range(kernel):
                    one, two = rows[starts[first] + row * line :], rows[starts[first + 1] + row * line :]
                    three, four = rows[starts[first + 2] + row * line :], rows[starts[first + 3] + row * line :]
                    total = sums[own, row]
                    for column in range(reach):
                        total[column] += (a * one[column] + b * two[column]) + (c * three[column] + d * four[column])


def spread_filters(filters: np.ndarray, winners: np.ndarray, slopes: np.ndarray, spread: np.ndarray) -> None:
    """Add to `spread`, shaped like `seen` in `gather_filters`, each filter where it won, times the slope there."""
    images, height, width, channels = spread.shape
    passed, kernel = slopes.shape[1], filters.shape[1]
    reach, columns = kernel * channels, width - kernel + 1
    flat, sums = filters.reshape(len(filters), kernel, reach), spread.reshape(images, height, width * channels)
    for image in range(images):
        for place in range(passed):
            for own in range(len(filters)):
                slope = slopes[image, place, own]
                if slope != 0:
                    top, left = divmod(winners[image, place, own], columns)
                    for row in range(kernel):
                        total, weights = sums[image, top + row, left * channels :], flat[own, row]
                        for column in range(reach):
                            total[column] += slope * weights[column]
