"""The paper's eight layers, full-sized and small."""

import math
from collections.abc import Collection, Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from transferkit.errors import UsageError
from transferkit.network.fast import WAYS, Way, convolve, fold_images
from transferkit.network.layered import KeyOf, LayeredNet
from transferkit.network.views import take_centres, take_views
from transferkit.randomness import seed_from
from transferkit.specs import ConvSpec, NetSpec
from transferkit.treatments import LAYERS

N_CONVS = 5
MEAN_IMAGE = "conv1_mean"  # the buffer, float32 3 x H x W in 0..255


class EightLayerNet(LayeredNet):
    """conv1..conv5, fc6, fc7, fc8 of a NetSpec; `initialise` draws its weights.

    Dropout belongs to the layer that reads the dropped units, not to the one that computes them. As in the paper, it
    stays on after a frozen fc6 or fc7. So in training, a frozen fc7 gives other features in every step, while all
    frozen layers up to fc6 give the same (`steady_depth`). The mean image belongs to conv1, because a copy of conv1
    must compute the same function.
    """

    spec: NetSpec
    ways: Collection[Way] = WAYS  # of computing convolutions faster; tests and benchmarks compare with fewer

    def __init__(self, spec: NetSpec, n_classes: int) -> None:
        super().__init__(spec, n_classes)
        channels = 3
        if spec.pixels == "mean image":
            self.register_buffer(MEAN_IMAGE, torch.zeros(3, 1, 1))
        for name, conv in zip(LAYERS[:N_CONVS], spec.convs, strict=True):
            filters = nn.Conv2d(channels, conv.channels, conv.kernel, conv.stride, conv.padding, groups=conv.groups)
            self.add_module(name, filters)
            if conv.norm == "batch":
                self.add_module(f"{name}_norm", nn.BatchNorm2d(conv.channels))
            channels = conv.channels
        for name, (inputs, outputs) in zip(LAYERS[N_CONVS:], pairwise(widths(spec, self.n_outputs)), strict=True):
            self.add_module(name, nn.Linear(inputs, outputs))

    def forward(
        self, x: Tensor, after: int = 0, until: int | None = None, weights: Mapping[str, Tensor] | None = None
    ) -> Tensor:
        """Apply layers as every LayeredNet does; images may come folded by `fold_images`, with the channels first."""
        if weights is None:
            weights = dict(self.named_parameters())
        for name in LAYERS[after:until]:
            apply = self._full_layer if name.startswith("fc") else self._conv_layer
            x = apply(name, x, weights[f"{name}.weight"], weights[f"{name}.bias"])
        return x

    def _conv_layer(self, name: str, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        conv = self.spec.convs[LAYERS.index(name)]
        x = convolve(conv, x, weight, bias, self.ways)  # pools before the ReLU, which gives the same at less cost
        if conv.norm == "batch":
            x = self.get_submodule(f"{name}_norm")(x)
            x = F.max_pool2d(x, 3, stride=2) if conv.pool else x
        x = F.relu(x)
        return F.local_response_norm(x.float(), 5, alpha=1e-4, beta=0.75).to(x.dtype) if conv.norm == "lrn" else x

    def _full_layer(self, name: str, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        before = LAYERS.index(name) - N_CONVS - 1
        if before >= 0 and (dropout := self.spec.fulls[before].dropout):
            x = F.dropout(x, dropout, self.training)
        x = F.linear(x.flatten(1), weight, bias)
        return x if name == "fc8" else F.relu(x)

    def held(self, images: Tensor) -> Tensor:
        """Lay images out as every LayeredNet does; folded, if conv1 folds and all pixels are scaled alike."""
        conv1 = self.spec.convs[0]
        folded = "folding" in self.ways and conv1.folds and not self.spec.pixels
        return fold_images(images, conv1) if folded else super().held(images)

    def to_input(self, held: Tensor, dtype: torch.dtype, views: Tensor | None = None) -> Tensor:
        """Scale pixels as every LayeredNet does, or subtract the mean image: the part that each view shows of it."""
        if self.spec.pixels != "mean image":
            return super().to_input(held, dtype)
        mean, size = self.get_buffer(MEAN_IMAGE), held.shape[1]
        if views is None or mean.shape[-1] < size:
            shown = take_centres(mean, min(size, mean.shape[-1]))
        else:
            shown = take_views(mean[None], torch.zeros_like(views[:, 0]), views, size)
        return (held.permute(0, 3, 1, 2).float() - shown).to(dtype)

    def steady_depth(self, depth: int) -> int:
        """The same as in every LayeredNet, but no deeper than the first layer whose outputs are dropped."""
        dropped = (N_CONVS + number for number, full in enumerate(self.spec.fulls, start=1) if full.dropout)
        return min([depth, *dropped])

    def layer_of(self, name: str) -> str:
        """The layer that a parameter, buffer or submodule belongs to: conv1 for `conv1_norm.running_mean`.

        Raises UsageError when it belongs to none.
        """
        layer = name.split(".")[0].removesuffix("_norm").removesuffix("_mean")
        if layer not in LAYERS:
            raise UsageError(f"'{name}' belongs to no layer: its name must start with one of {', '.join(LAYERS)}.")
        return layer

    def modules_of(self, layer: str) -> tuple[nn.Module, ...]:
        """The layer's convolution or linear map, and its normalisation."""
        return tuple(module for name, module in self.named_children() if self.layer_of(name) == layer)

    def initialise(self, key: KeyOf, *, he: bool = False) -> None:
        """Draw every weight anew, each layer from the random stream `key(layer)`, and set biases as the spec says.

        `he` ignores the spec's standard deviations and biases, and uses those of He et al. 2015, with zero biases.
        """
        described = (*self.spec.convs, *self.spec.fulls)
        stds = [layer.init_std for layer in described] + [self.spec.fc8_init_std]
        biases = [layer.bias for layer in described] + [0.0]
        for name, std, bias in zip(LAYERS, stds, biases, strict=True):
            layer = self.get_submodule(name)
            assert isinstance(layer, nn.Conv2d | nn.Linear)
            generator = torch.Generator().manual_seed(seed_from(*key(name)))
            fan_in = layer.weight[0].numel()
            scale = math.sqrt(2 / fan_in) if he or std is None else std
            with torch.no_grad():
                layer.weight.normal_(0, scale, generator=generator)
                nn.init.constant_(layer.get_parameter("bias"), 0.0 if he else bias)


def widths(spec: NetSpec, n_classes: int) -> tuple[int, ...]:
    """The numbers of units from the inputs of fc6 to the outputs of fc8."""
    size = spec.image_size
    for conv in spec.convs:
        size = size_after(size, conv, pool=conv.pool)
    return (spec.convs[-1].channels * size**2, *(full.units for full in spec.fulls), n_classes)


def size_after(size: int, conv: ConvSpec, *, pool: bool) -> int:
    """The side of the map that a convolution computes from one of side `size`, in pixels, with or without pooling."""
    size = (size + 2 * conv.padding - conv.kernel) // conv.stride + 1
    return (size - 3) // 2 + 1 if pool else size
