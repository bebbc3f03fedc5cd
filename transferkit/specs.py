"""What a network is before it is built: the paper's eight layers, or a torchvision model in named stages."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from transferkit.errors import UsageError
from transferkit.treatments import LAYERS

Norm = Literal["none", "lrn", "batch"]
Pixels = Literal["mean image", "imagenet"]


class Net(ABC):
    """What a setting says of a network: square images of `image_size` pixels through named `layers`.

    `pixels` says how uint8 images become numbers. Unset: (pixel - 128) / 64. "mean image": minus the mean of the
    training images, in 0..255, of the half that conv1 was trained on, as in the paper. "imagenet": as
    torchvision's weights were trained, by the means and deviations of ImageNet's channels. `first_filters` is the
    parameter whose filters look at colours; `outputs` how many outputs there are, unset: one per class. What is
    unset is no part of the digest.
    """

    name: str
    image_size: int
    pixels: Pixels | UnsetType
    first_filters: str
    outputs: int | UnsetType

    @property
    @abstractmethod
    def layers(self) -> tuple[str, ...]:
        """The names of the layers from the images up; the last gives the logits."""

    @property
    def chop_points(self) -> range:
        """How many layers can be copied: all numbers but 0 and that of all layers."""
        return range(1, len(self.layers))

    def outputs_for(self, n_classes: int) -> int:
        """How many outputs the network has for so many classes. Raises UsageError when they do not fit."""
        if isinstance(self.outputs, UnsetType):
            return n_classes
        if self.outputs < n_classes:
            raise UsageError(
                f"{n_classes} classes do not fit into the {self.outputs} outputs of {self.name}: give it more "
                "outputs, or one for each class."
            )
        return self.outputs


@dataclass(frozen=True)
class ConvSpec:
    """One convolutional layer: ReLU follows, then 3x3 max-pooling with stride 2 if `pool`, then `norm`.

    `init_std` is the standard deviation of the Gaussian it starts from; None: He et al. 2015, sqrt(2 / fan-in).
    """

    channels: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1
    pool: bool = False
    norm: Norm = "none"
    init_std: float | None = None
    bias: float = 0.0

    @property
    def folds(self) -> bool:
        """Whether it is computed over blocks of stride x stride pixels, each folded into channels."""
        return self.stride > 1 and self.padding == 0 and self.groups == 1

    def covers(self, size: int) -> bool:
        """Whether, over a map of side `size`, each filter covers the whole map from every place."""
        keeps_size = self.stride == 1 and self.kernel == 2 * self.padding + 1
        return keeps_size and self.groups == 1 and size <= self.padding + 1


@dataclass(frozen=True)
class FullSpec:
    """One hidden fully-connected layer: ReLU follows, then dropout with probability `dropout`."""

    units: int
    dropout: float = 0.0
    init_std: float | None = None
    bias: float = 0.0


@dataclass(frozen=True)
class NetSpec(Net):
    """Eight layers: conv1..conv5, fc6, fc7, and fc8. Images are square, in pixels."""

    name: str
    image_size: int
    convs: tuple[ConvSpec, ConvSpec, ConvSpec, ConvSpec, ConvSpec]
    fulls: tuple[FullSpec, FullSpec]
    fc8_init_std: float | None = None
    pixels: Pixels | UnsetType = UNSET
    outputs: int | UnsetType = UNSET

    @property
    def layers(self) -> tuple[str, ...]:
        """conv1..conv5, fc6, fc7, fc8."""
        return LAYERS

    @property
    def first_filters(self) -> str:  # type: ignore[override]
        """The weights of conv1."""
        return "conv1.weight"


@dataclass(frozen=True)
class Stage:
    """One layer of a torchvision model: the dotted paths of its modules, and operations, in the order they apply.

    Operations end in brackets; `transferkit.network.torchvision_nets` has them.
    """

    name: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class StagedSpec(Net):
    """A torchvision classification model (or a small one of its parts) as a sequence of named stages.

    `model` and `arguments` build it, `small_stem` replaces a residual net's first layer (see
    `transferkit.network.torchvision_nets`). `start` is the SHA-256 of the weights that base networks start from, as
    `Store.given` knows them; None: from random ones.
    """

    name: str
    image_size: int
    model: str
    stages: tuple[Stage, ...]
    first_filters: str
    arguments: tuple[tuple[str, int], ...] = ()
    small_stem: bool = False
    start: str | None = None
    pixels: Pixels | UnsetType = UNSET
    outputs: int | UnsetType = UNSET

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the stages."""
        return tuple(stage.name for stage in self.stages)


def read_net(kind: type, value: Any) -> object:
    """Tell msgspec which network a JSON object is (its `dec_hook`): a StagedSpec names a model, a NetSpec none."""
    if kind is not Net:
        raise NotImplementedError(kind)
    return msgspec.convert(value, StagedSpec if "model" in value else NetSpec)


def small_net(width: int = 1) -> NetSpec:
    """The small sister of the paper's network, for 48-pixel images; `width` multiplies its channels.

    conv1 starts from a Gaussian of standard deviation .003 (the paper: .01): in so short a training the noise
    of a larger start would still be seen in the filters.
    """
    return NetSpec(
        name=f"small-x{width}" if width > 1 else "small",
        image_size=48,
        convs=(
            ConvSpec(32 * width, kernel=9, stride=3, pool=True, init_std=0.003),
            ConvSpec(48 * width, kernel=3, padding=1, pool=True),
            ConvSpec(64 * width, kernel=3, padding=1),
            ConvSpec(64 * width, kernel=3, padding=1),
            ConvSpec(48 * width, kernel=3, padding=1),
        ),
        fulls=(FullSpec(128 * width), FullSpec(128 * width)),
    )


def paper_net() -> NetSpec:
    """The network of the paper (Caffe's AlexNet) as published: 1000 outputs for halves too, 60.97 million parameters.

    It reads pixels of 0..255 less the mean image of the half that its conv1 was trained on.
    """
    return NetSpec(
        name="paper",
        image_size=227,
        convs=(
            ConvSpec(96, kernel=11, stride=4, pool=True, norm="lrn", init_std=0.01),
            ConvSpec(256, kernel=5, padding=2, groups=2, pool=True, norm="lrn", init_std=0.01, bias=1.0),
            ConvSpec(384, kernel=3, padding=1, init_std=0.01),
            ConvSpec(384, kernel=3, padding=1, groups=2, init_std=0.01, bias=1.0),
            ConvSpec(256, kernel=3, padding=1, groups=2, pool=True, init_std=0.01, bias=1.0),
        ),
        fulls=(
            FullSpec(4096, dropout=0.5, init_std=0.005, bias=1.0),
            FullSpec(4096, dropout=0.5, init_std=0.005, bias=1.0),
        ),
        fc8_init_std=0.01,
        pixels="mean image",
        outputs=1000,
    )


def paper_net_at_half_size() -> NetSpec:
    """The paper's network for crops of 115 pixels out of 128: conv1 has 7x7 filters in steps of 2, not 11x11 of 4.

    So conv1 sees the same part of a scene at half its resolution and gives the same 55x55 map, and each layer above
    it has exactly the paper's shapes. The published conv1 would give 27x27 instead: the layers above would see half
    of their map as margin, and fc6 would lose three quarters of its inputs.
    """
    paper = paper_net()
    conv1, *others = paper.convs
    conv2, conv3, conv4, conv5 = others
    halved = replace(conv1, kernel=7, stride=2)
    return replace(paper, name="paper-115", image_size=115, convs=(halved, conv2, conv3, conv4, conv5))


def with_published_init(spec: Net) -> NetSpec:
    """The same network that starts from the standard deviations and biases of the paper's.

    Raises UsageError for a network of other layers than the paper's.
    """
    if not isinstance(spec, NetSpec):
        raise UsageError(f"{spec.name} has other layers than the paper's net: draw its random filters after 'he'.")
    paper = paper_net()
    convs = [
        replace(own, init_std=its.init_std, bias=its.bias) for own, its in zip(spec.convs, paper.convs, strict=True)
    ]
    fulls = [
        replace(own, init_std=its.init_std, bias=its.bias) for own, its in zip(spec.fulls, paper.fulls, strict=True)
    ]
    return replace(
        spec,
        convs=(convs[0], convs[1], convs[2], convs[3], convs[4]),
        fulls=(fulls[0], fulls[1]),
        fc8_init_std=paper.fc8_init_std,
    )
