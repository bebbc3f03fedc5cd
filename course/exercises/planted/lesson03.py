"""Answers to the exercises of lesson 03, right and wrong."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from course.exercises.planted.answer import Planted

Layers = Sequence[tuple[int, int]]


def planted() -> dict[str, Planted]:
    """The answers, by exercise."""
    return {
        "output_size": Planted(
            right=(size_by_torch, size_by_counting),
            wrong={
                "steps instead of places": lambda size, kernel, stride, padding, pool: _pooled(
                    (size + 2 * padding - kernel) // stride, pool, plus=0
                ),
                "padding on one side": lambda size, kernel, stride, padding, pool: _pooled(
                    (size + padding - kernel) // stride + 1, pool
                ),
                "rounded up": lambda size, kernel, stride, padding, pool: (
                    -(-(_up(size, kernel, stride, padding) - 3) // 2) + 1
                    if pool
                    else _up(size, kernel, stride, padding)
                ),
                "the pooling forgotten": lambda size, kernel, stride, padding, pool: size_by_counting(
                    size, kernel, stride, padding, False
                ),
                "no padding": lambda size, kernel, stride, padding, pool: size_by_counting(
                    size, kernel, stride, 0, pool
                ),
                "stride 1": lambda size, kernel, stride, padding, pool: size_by_counting(
                    size, kernel, 1, padding, pool
                ),
                "the kernel ignored": lambda size, kernel, stride, padding, pool: _pooled(size // stride, pool),
                "pooling halves": lambda size, kernel, stride, padding, pool: (
                    size_by_counting(size, kernel, stride, padding, False) // (2 if pool else 1)
                ),
                "always pooled": lambda size, kernel, stride, padding, pool: size_by_counting(
                    size, kernel, stride, padding, True
                ),
                "rounded to the nearest": lambda size, kernel, stride, padding, pool: _pooled(
                    round((size + 2 * padding - kernel) / stride) + 1, pool
                ),
                "divided one by one": lambda size, kernel, stride, padding, pool: _pooled(
                    (size + 2 * padding) // stride - kernel // stride + 1, pool
                ),
                "a fraction": lambda size, kernel, stride, padding, pool: (size + 2 * padding - kernel) / stride + 1,
            },
        ),
        "layer_cost": Planted(
            right=(cost_by_torch, cost_by_product),
            wrong={
                "no biases": lambda f, i, k, s, g: (cost_by_product(f, i, k, s, g)[0] - f, f * i // g * k * k * s * s),
                "each weight used once": lambda f, i, k, s, g: (f * i // g * k * k + f, f * i // g * k * k),
                "groups ignored": lambda f, i, k, s, g: cost_by_product(f, i, k, s, 1),
                "a kernel of one row": lambda f, i, k, s, g: (f * i // g * k + f, f * i // g * k * s * s),
                "one bias": lambda f, i, k, s, g: (f * i // g * k * k + 1, f * i // g * k * k * s * s),
                "a row of places": lambda f, i, k, s, g: (f * i // g * k * k + f, f * i // g * k * k * s),
                "biases multiplied": lambda f, i, k, s, g: (f * i // g * k * k + f, (f * i // g * k * k + f) * s * s),
                "the other way round": lambda f, i, k, s, g: cost_by_product(f, i, k, s, g)[::-1],
                "one filter": lambda f, i, k, s, g: cost_by_product(1, i, k, s, g),
                "32 bits": lambda f, i, k, s, g: np.array(cost_by_product(f, i, k, s, g)).astype(np.int32),
                "parameters alone": lambda f, i, k, s, g: cost_by_product(f, i, k, s, g)[0],
            },
        ),
        "receptive_field": Planted(
            right=(field_by_steps, field_backwards),
            wrong={
                "strides ignored": lambda layers: 1 + sum(kernel - 1 for kernel, _ in layers),
                "a layer's own stride": field_with_own_stride,
                "whole kernels": lambda layers: field_backwards([(kernel + 1, stride) for kernel, stride in layers]),
                "the sum of kernels": lambda layers: sum(kernel for kernel, _ in layers),
                "the product of kernels": lambda layers: math.prod(kernel for kernel, _ in layers),
                "the last kernel": lambda layers: layers[-1][0] if layers else 1,
                "the product of strides": lambda layers: math.prod(stride for _, stride in layers),
                "from the top": lambda layers: field_backwards(list(layers)[::-1]),
                "odd kernels": lambda layers: field_backwards(
                    [(kernel // 2 * 2 + 1, stride) for kernel, stride in layers]
                ),
                "no more than the picture": lambda layers: min(field_backwards(layers), 48),
                "kernel times strides": lambda layers: sum(
                    kernel * math.prod(stride for _, stride in layers[:place])
                    for place, (kernel, _) in enumerate(layers)
                ),
                "the area": lambda layers: field_backwards(layers) ** 2,
            },
        ),
    }


def _pooled(size: int, pool: bool, plus: int = 1) -> int:
    return (size - 3) // 2 + plus if pool else size


def _up(size: int, kernel: int, stride: int, padding: int) -> int:
    return -(-(size + 2 * padding - kernel) // stride) + 1


def size_by_torch(size: int, kernel: int, stride: int, padding: int, pool: bool) -> int:
    """By asking torch."""
    layers = [nn.Conv2d(1, 1, kernel, stride, padding), *([nn.MaxPool2d(3, 2)] if pool else [])]
    with torch.device("meta"):
        return int(nn.Sequential(*layers).to("meta")(torch.empty(1, 1, size, size)).shape[-1])


def size_by_counting(size: int, kernel: int, stride: int, padding: int, pool: bool) -> int:
    """By counting where a window may begin."""
    places = len(range(-padding, size + padding - kernel + 1, stride))
    return len(range(0, places - 2, 2)) if pool else places


def cost_by_torch(filters: int, inputs: int, kernel: int, size: int, groups: int) -> tuple[int, int]:
    """By asking torch."""
    with torch.device("meta"):
        layer = nn.Conv2d(inputs, filters, kernel, groups=groups)
    return sum(one.numel() for one in layer.parameters()), layer.weight.numel() * size * size


def cost_by_product(filters: int, inputs: int, kernel: int, size: int, groups: int) -> tuple[int, int]:
    """Per filter."""
    each = inputs // groups * kernel**2
    return filters * (each + 1), filters * each * size**2


def field_backwards(layers: Layers) -> int:
    """From the top down: how many units of the layer below one sees."""
    side = 1
    for kernel, stride in reversed(layers):
        side = (side - 1) * stride + kernel
    return side


def field_by_steps(layers: Layers) -> int:
    """From the bottom up: how far apart the units are that a layer reads."""
    steps = [1]
    for _, stride in layers:
        steps.append(steps[-1] * stride)
    reach = [(kernel - 1) * step for (kernel, _), (step, _) in zip(layers, pairwise(steps), strict=True)]
    return 1 + sum(reach)


def field_with_own_stride(layers: Layers) -> int:
    """Wrong."""
    side, step = 1, 1
    for kernel, stride in layers:
        step *= stride
        side += (kernel - 1) * step
    return side
