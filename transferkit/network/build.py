"""Networks from their specs, and how much a network computes, without building it."""

from itertools import pairwise

import torch

from transferkit.network.eight import N_CONVS, EightLayerNet, size_after, widths
from transferkit.network.layered import LayeredNet
from transferkit.specs import Net, NetSpec, StagedSpec
from transferkit.treatments import LAYERS


def build(spec: Net, n_classes: int) -> LayeredNet:
    """The network of a specification, for so many classes; `initialise` draws its weights.

    Raises UsageError when the classes are more than its outputs.
    """
    if isinstance(spec, NetSpec):
        return EightLayerNet(spec, n_classes)
    assert isinstance(spec, StagedSpec)
    from transferkit.network.torchvision_nets import (
        StagedNet,  # here, as torchvision is slow to import and most do without it
    )

    return StagedNet(spec, n_classes)


def count_parameters(spec: Net, n_classes: int) -> int:
    """Weights and biases of the whole network, without allocating it."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build(spec, n_classes).parameters())


def count_multiplications(spec: Net, n_classes: int) -> dict[str, int]:
    """Multiply-adds of one image's forward pass, by layer; training a layer costs about three times as many."""
    return _of_eight(spec, n_classes) if isinstance(spec, NetSpec) else _of_any(spec, n_classes)


def _of_eight(spec: NetSpec, n_classes: int) -> dict[str, int]:
    """Counted by hand, since a folded conv1 also multiplies zeros."""
    counts: dict[str, int] = {}
    channels, size = 3, spec.image_size
    for name, conv in zip(LAYERS[:N_CONVS], spec.convs, strict=True):
        outputs = size_after(size, conv, pool=False) ** 2 * conv.channels
        counts[name] = outputs * conv.kernel**2 * channels // conv.groups
        channels, size = conv.channels, size_after(size, conv, pool=conv.pool)
    for name, (inputs, outputs) in zip(LAYERS[N_CONVS:], pairwise(widths(spec, n_classes)), strict=True):
        counts[name] = inputs * outputs
    return counts


def _of_any(spec: Net, n_classes: int) -> dict[str, int]:
    from torch.utils.flop_counter import FlopCounterMode  # here, as it imports Triton, which each worker would wait for

    counts = {}
    with torch.device("meta"), torch.no_grad():
        network = build(spec, n_classes).eval()
        x = torch.empty(1, 3, spec.image_size, spec.image_size)
        for depth, layer in enumerate(spec.layers):
            with FlopCounterMode(display=False) as counter:
                x = network(x, after=depth, until=depth + 1)
            counts[layer] = counter.get_total_flops() // 2
    return counts
