"""Build networks from their specs, and count what they compute without allocating them."""

from itertools import pairwise

import torch

from transferkit.network.eight import N_CONVS, EightLayerNet, size_after, widths
from transferkit.network.layered import LayeredNet
from transferkit.specs import Net, NetSpec, StagedSpec
from transferkit.treatments import LAYERS


def build(spec: Net, n_classes: int) -> LayeredNet:
    """Build the network of a specification for `n_classes` classes; `initialise` draws its weights.

    Raises UsageError when the network has a fixed number of outputs, and they are fewer than the classes.
    """
    if isinstance(spec, NetSpec):
        return EightLayerNet(spec, n_classes)
    assert isinstance(spec, StagedSpec)
    from transferkit.network.torchvision_nets import StagedNet  # here, since torchvision is slow to import

    return StagedNet(spec, n_classes)


def count_parameters(spec: Net, n_classes: int) -> int:
    """The number of weights and biases in the whole network."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build(spec, n_classes).parameters())


def count_multiplications(spec: Net, n_classes: int) -> dict[str, int]:
    """Multiply-adds of one image's forward pass, by layer; training a layer costs about three times as many."""
    if isinstance(spec, NetSpec):
        return _by_formula(spec, n_classes)
    from torch.utils.flop_counter import FlopCounterMode  # here, since it imports Triton, which would delay each worker

    counts = {}
    with torch.device("meta"), torch.no_grad():
        network = build(spec, n_classes).eval()
        x = torch.empty(1, 3, spec.image_size, spec.image_size)
        for depth, layer in enumerate(spec.layers):
            with FlopCounterMode(display=False) as counter:
                x = network(x, after=depth, until=depth + 1)
            counts[layer] = counter.get_total_flops() // 2
    return counts


def _by_formula(spec: NetSpec, n_classes: int) -> dict[str, int]:
    """The same without a counter, which would include the zeros that a folded conv1 multiplies."""
    counts: dict[str, int] = {}
    channels, size = 3, spec.image_size
    for name, conv in zip(LAYERS[:N_CONVS], spec.convs, strict=True):
        outputs = size_after(size, conv, pool=False) ** 2 * conv.channels
        counts[name] = outputs * conv.kernel**2 * channels // conv.groups
        channels, size = conv.channels, size_after(size, conv, pool=conv.pool)
    for name, (inputs, outputs) in zip(LAYERS[N_CONVS:], pairwise(widths(spec, n_classes)), strict=True):
        counts[name] = inputs * outputs
    return counts
