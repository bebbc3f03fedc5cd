"""The network of eight named layers, in the paper's size and in a small one (Yosinski et al. 2014, section 3)."""

import math
from collections.abc import Callable, Iterable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from transferkit.config import ConvSpec, NetSpec
from transferkit.errors import UsageError
from transferkit.streams import Key, seed_from
from transferkit.treatments import LAYERS

N_CONVS = 5


class EightLayerNet(nn.Module):
    """conv1..conv5, fc6, fc7, fc8 of a NetSpec; `initialise` draws its weights.

    Dropout belongs to the layer that reads, not to the one that is dropped, so that what comes out of a
    frozen layer is always the same and only what is trained above it sees dropout.
    """

    def __init__(self, spec: NetSpec, n_classes: int) -> None:
        super().__init__()
        self.spec = spec
        self.n_classes = n_classes
        self.frozen: frozenset[str] = frozenset()
        channels = 3
        for name, conv in zip(LAYERS[:N_CONVS], spec.convs, strict=True):
            self.add_module(name, _conv(channels, conv))
            if conv.norm == "batch":
                self.add_module(f"{name}_norm", nn.BatchNorm2d(conv.channels))
            channels = conv.channels
        for name, (inputs, outputs) in zip(LAYERS[N_CONVS:], pairwise(_widths(spec, n_classes)), strict=True):
            self.add_module(name, nn.Linear(inputs, outputs))

    def forward(self, x: Tensor, after: int = 0, until: int = len(LAYERS)) -> Tensor:
        """Apply the layers numbered `after` + 1 to `until` (1 is conv1).

        From images, float N x 3 x H x W, to logits, N x classes, by default; with `until=n`, to the features
        of layer n; with `after=n`, from those features.
        """
        for name in LAYERS[after:until]:
            x = self._conv_layer(name, x) if name.startswith("conv") else self._full_layer(name, x)
        return x

    def _conv_layer(self, name: str, x: Tensor) -> Tensor:
        conv = self.spec.convs[LAYERS.index(name)]
        x = self.get_submodule(name)(x)
        if conv.norm == "batch":
            x = self.get_submodule(f"{name}_norm")(x)
        if conv.pool:  # before the ReLU: the same numbers as after it, at a quarter of its cost
            x = F.max_pool2d(x, 3, stride=2)
        x = F.relu(x)
        return F.local_response_norm(x, 5, alpha=1e-4, beta=0.75) if conv.norm == "lrn" else x

    def _full_layer(self, name: str, x: Tensor) -> Tensor:
        before = LAYERS.index(name) - N_CONVS - 1
        if before >= 0 and (dropout := self.spec.fulls[before].dropout):
            x = F.dropout(x, dropout, self.training)
        x = self.get_submodule(name)(x.flatten(1))
        return x if name == "fc8" else F.relu(x)

    def freeze(self, layers: Iterable[str]) -> None:
        """Stop these layers for good: no gradient, so no weight decay either, and no moving buffers."""
        self.frozen = frozenset(layers)
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(layer_of(name) not in self.frozen)
        self.train(self.training)

    def train(self, mode: bool = True) -> "EightLayerNet":
        """As in torch, but what is frozen stays in evaluation, or its running statistics would move."""
        super().train(mode)
        for name, module in self.named_children():
            if layer_of(name) in self.frozen:
                module.eval()
        return self

    @property
    def frozen_depth(self) -> int:
        """How many layers from the first on are frozen: no gradient ever reaches below this one."""
        return next((depth for depth, name in enumerate(LAYERS) if name not in self.frozen), len(LAYERS))


def layer_of(name: str) -> str:
    """The layer that a parameter, buffer or submodule belongs to: `conv1_norm.running_mean` is conv1's."""
    layer = name.split(".")[0].removesuffix("_norm")
    if layer not in LAYERS:
        raise UsageError(f"'{name}' belongs to no layer: its name must start with one of {', '.join(LAYERS)}.")
    return layer


def initialise(network: EightLayerNet, key: Callable[[str], tuple[Key, ...]], *, he: bool = False) -> None:
    """Draw every weight anew, each layer from the stream `key(layer)`, and set biases as the spec says.

    `he` ignores the spec's standard deviations and uses He et al. 2015 everywhere, with zero biases.
    """
    spec = network.spec
    stds = [layer.init_std for layer in (*spec.convs, *spec.fulls)] + [spec.fc8_init_std]
    biases = [layer.bias for layer in (*spec.convs, *spec.fulls)] + [0.0]
    for name, std, bias in zip(LAYERS, stds, biases, strict=True):
        layer = network.get_submodule(name)
        assert isinstance(layer, nn.Conv2d | nn.Linear)
        generator = torch.Generator().manual_seed(seed_from(*key(name)))
        fan_in = layer.weight[0].numel()
        scale = math.sqrt(2 / fan_in) if he or std is None else std
        with torch.no_grad():
            layer.weight.normal_(0, scale, generator=generator)
            nn.init.constant_(layer.get_parameter("bias"), 0.0 if he else bias)


def count_parameters(spec: NetSpec, n_classes: int) -> int:
    """Weights and biases of the whole network, without allocating it."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in EightLayerNet(spec, n_classes).parameters())


def count_multiplications(spec: NetSpec, n_classes: int) -> dict[str, int]:
    """Multiply-adds of one image's forward pass, by layer; training a layer costs about three times as many."""
    counts: dict[str, int] = {}
    channels, size = 3, spec.image_size
    for name, conv in zip(LAYERS[:N_CONVS], spec.convs, strict=True):
        outputs = _size_after(size, conv, pool=False) ** 2 * conv.channels
        counts[name] = outputs * conv.kernel**2 * channels // conv.groups
        channels, size = conv.channels, _size_after(size, conv, pool=conv.pool)
    for name, (inputs, outputs) in zip(LAYERS[N_CONVS:], pairwise(_widths(spec, n_classes)), strict=True):
        counts[name] = inputs * outputs
    return counts


def _conv(channels: int, conv: ConvSpec) -> nn.Conv2d:
    return nn.Conv2d(channels, conv.channels, conv.kernel, conv.stride, conv.padding, groups=conv.groups)


def _widths(spec: NetSpec, n_classes: int) -> tuple[int, ...]:
    """Units from what fc6 reads to what fc8 gives."""
    size = spec.image_size
    for conv in spec.convs:
        size = _size_after(size, conv, pool=conv.pool)
    return (spec.convs[-1].channels * size**2, *(full.units for full in spec.fulls), n_classes)


def _size_after(size: int, conv: ConvSpec, *, pool: bool) -> int:
    size = (size + 2 * conv.padding - conv.kernel) // conv.stride + 1
    return (size - 3) // 2 + 1 if pool else size
