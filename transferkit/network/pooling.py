"""A convolution and the max-pooling after it, whose gradient goes to the places that won and nowhere else.

Of a map, 3x3 max-pooling in steps of 2 passes a gradient to at most one place in four. The gradient as it is usually
computed multiplies the zeros of all others.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from transferkit.nets import ConvSpec


def pays(conv: ConvSpec, x: Tensor) -> bool:
    """Whether a pooled convolution of stride 1 can be computed so, where that was measured to be faster.

    That is in training, on a processor, in float32.
    """
    trained = torch.is_grad_enabled() and x.device.type == "cpu" and x.dtype == torch.float32
    return trained and conv.pool and conv.groups == 1 and conv.norm != "batch"


def convolve_and_pool(x: Tensor, weight: Tensor, bias: Tensor, padding: int = 0) -> Tensor:
    """`F.max_pool2d(F.conv2d(x, weight, bias, padding=padding), 3, stride=2)`, and its gradient, but for rounding.

    N x C x H x H and filters x C x k x k, channels last in memory, to N x filters x h x h; float32.
    """
    pooled: Tensor = _ConvolvedAndPooled.apply(x, weight, bias, padding)
    return pooled


class _ConvolvedAndPooled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, padding: int) -> Tensor:
        unread = (x.shape[-1] + 2 * padding - weight.shape[-1]) % 2  # pooling reads an odd number of places a side
        margin = [padding, padding - unread] * 2
        seen = F.pad(x, margin) if any(margin) else x
        pooled, winners = F.max_pool2d(F.conv2d(seen, weight, bias), 3, stride=2, return_indices=True)
        ctx.save_for_backward(seen, weight, winners)
        ctx.margin = margin
        return pooled

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        from transferkit.network import winners as loops  # here, as Numba takes most of a second to import

        seen, filters, winners, slopes = (_channels_last(x) for x in (*ctx.saved_tensors, slope))
        where = winners.flatten(1, 2).numpy(), slopes.flatten(1, 2).numpy()
        of_x = of_weight = of_bias = None
        if ctx.needs_input_grad[0]:
            spread = torch.zeros_like(seen)
            loops.spread_filters(filters.numpy(), *where, spread.numpy())
            of_x = F.pad(spread.permute(0, 3, 1, 2), [-side for side in ctx.margin])
        if ctx.needs_input_grad[1]:
            gathered = torch.zeros_like(filters)
            loops.gather_filters(seen.numpy(), *where, gathered.numpy())
            of_weight = gathered.permute(0, 3, 1, 2)
        if ctx.needs_input_grad[2]:
            of_bias = slope.sum((0, 2, 3))
        return of_x, of_weight, of_bias, None


def _channels_last(x: Tensor) -> Tensor:
    """A x C x H x W as A x H x W x C, one after the other in memory."""
    return x.detach().permute(0, 2, 3, 1).contiguous()
