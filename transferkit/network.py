"""The network of eight named layers, in the paper's size and in a small one (Yosinski et al. 2014, section 3)."""

import math
from collections.abc import Callable, Iterable, Mapping
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

    def forward(
        self, x: Tensor, after: int = 0, until: int = len(LAYERS), weights: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        """Apply the layers numbered `after` + 1 to `until` (1 is conv1).

        From images, float N x 3 x H x W or folded ones (channels first), to logits, N x classes, by
        default; with `until=n`, to the features of layer n; with `after=n`, from those features. `weights` are
        computed with instead of the network's own, by the same names: copies in another precision, say.
        """
        if weights is None:
            weights = dict(self.named_parameters())
        for name in LAYERS[after:until]:
            weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
            full = name.startswith("fc")
            x = self._full_layer(name, x, weight, bias) if full else self._conv_layer(name, x, weight, bias)
        return x

    def _conv_layer(self, name: str, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        conv = self.spec.convs[LAYERS.index(name)]
        if name == "conv1" and conv.folds:
            folded = x if x.shape[1] > 3 else fold_images(x, conv).permute(0, 3, 1, 2)
            x = F.conv2d(folded, fold_filters(weight, conv.stride), bias)
        else:
            x = F.conv2d(x, weight, bias, conv.stride, conv.padding, groups=conv.groups)
        if conv.norm == "batch":
            x = self.get_submodule(f"{name}_norm")(x)
        if conv.pool:  # before the ReLU: the same numbers as after it, at a quarter of its cost
            x = F.max_pool2d(x, 3, stride=2)
        x = F.relu(x)
        return F.local_response_norm(x.float(), 5, alpha=1e-4, beta=0.75).to(x.dtype) if conv.norm == "lrn" else x

    def _full_layer(self, name: str, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        before = LAYERS.index(name) - N_CONVS - 1
        if before >= 0 and (dropout := self.spec.fulls[before].dropout):
            x = F.dropout(x, dropout, self.training)
        x = F.linear(x.flatten(1), weight, bias)
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
