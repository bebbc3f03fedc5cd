"""Descriptions of networks before they are built: the paper's eight layers, or a torchvision model in named stages."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from transferkit.errors import UsageError
from transferkit.treatments import LAYERS

Norm = Literal["none", "lrn", "batch"]


@dataclass(frozen=True)
class Scale:
    """Pixels as given weights were trained on them: in 0..1, minus `mean`, divided by `std`, by channel."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


Pixels = Literal["mean image", "imagenet", "whitened"] | Scale


class Net(ABC):
    """What a setting says about a network: square images of `image_size` pixels go through named `layers`.

    `pixels` says how uint8 images are scaled. Unset: (pixel - 128) / 64. "mean image": minus the mean, in 0..255, of
    the training images of the half that conv1 was trained on, as in the paper. "imagenet": by the means and deviations
    of ImageNet's channels, as for torchvision's weights; a Scale: by others. "whitened": as unset, and then whitened as
    in the retina (`network.layered.whitened`). `first_filters` is the parameter whose filters look at colours.
    `outputs` is the number of outputs; unset: one per class. Unset fields do not enter the digest.
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
        """The numbers of layers that can be copied: from 1 to all layers but one."""
        return range(1, len(self.layers))

    def outputs_for(self, n_classes: int) -> int:
        """The number of outputs for `n_classes` classes. Raises UsageError when they do not fit."""
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

    `init_std` is the standard deviation of the Gaussian that draws its weights; None: He et al. 2015, sqrt(2 / fan-in).
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
        """Whether the layer can be computed over blocks of stride x stride pixels, each folded into channels."""
        return self.stride > 1 and self.padding == 0 and self.groups == 1

    def covers(self, size: int) -> bool:
        """Whether each filter covers a whole map of side `size` pixels from every place."""
        keeps_size = self.stride == 1 and self.kernel == 2 * self.padding + 1
        return keeps_size and self.groups == 1 and size <= self.padding + 1


@dataclass(frozen=True)
class FullSpec:
    """One hidden fully connected layer: ReLU follows, then dropout with probability `dropout`."""

    units: int
    dropout: float = 0.0
    init_std: float | None = None
    bias: float = 0.0


@dataclass(frozen=True)
class NetSpec(Net):
    """The eight layers conv1..conv5, fc6, fc7 and fc8."""

    name: str
    image_size: int
    convs: tuple[ConvSpec, ConvSpec, ConvSpec, ConvSpec, ConvSpec]
    fulls: tuple[FullSpec, FullSpec]
    fc8_init_std: float | None = None
    pixels: Pixels | UnsetType = UNSET
    outputs: int | UnsetType = UNSET

    layers = LAYERS
    first_filters = "conv1.weight"


@dataclass(frozen=True)
class Stage:
    """One layer of a staged model: dotted paths of modules, and operations, in the order in which they apply.

    The names of operations end in brackets; `transferkit.network.torchvision_nets` defines them.
    """

    name: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class StagedSpec(Net):
    """A model of torchvision or timm, or a small one built from torchvision's parts, as a sequence of named stages.

    `model` and `arguments` build it; `small_stem` replaces a residual net's first layer (see
    `transferkit.network.torchvision_nets`). `start` is the SHA-256 under which `Store.given` finds the weights that
    base networks start from; None: they start from random weights.
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
    """Decode a network from JSON, as msgspec's `dec_hook`: a StagedSpec names a model, a NetSpec does not."""
    if kind is not Net:
        raise NotImplementedError(kind)
    return msgspec.convert(value, StagedSpec if "model" in value else NetSpec)


def small_net(width: int = 1) -> NetSpec:
    """The small sister of the paper's network, for 48-pixel images; `width` multiplies its channels.

    conv1 starts from a Gaussian of standard deviation .003 (.01 in the paper): the training is so short that the noise
    of a larger one would still be visible in the filters.
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

    It reads pixels of 0..255 minus the mean image of the half that its conv1 was trained on.
    """
    full = FullSpec(4096, dropout=0.5, init_std=0.005, bias=1.0)
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
        fulls=(full, full),
        fc8_init_std=0.01,
        pixels="mean image",
        outputs=1000,
    )


def paper_net_at_half_size() -> NetSpec:
    """The paper's network for crops of 115 pixels out of 128: conv1 has 7x7 filters in steps of 2, not 11x11 in 4.

    So conv1 sees the same part of a scene at half the resolution and computes a map of the same 55x55 places, and each
    layer above it has exactly the paper's shapes. The published conv1 would compute 27x27 places: then half of what the
    layers above see would be margin, and fc6 would lose three quarters of its inputs.
    """
    paper = paper_net()
    conv1 = replace(paper.convs[0], kernel=7, stride=2)
    return replace(paper, name="paper-115", image_size=115, convs=(conv1, *paper.convs[1:]))


def with_published_init(spec: Net) -> NetSpec:
    """The same network with the initial standard deviations and biases of the paper's.

    Raises UsageError for a network with other layers than the paper's.
    """
    if not isinstance(spec, NetSpec):
        raise UsageError(f"{spec.name} has other layers than the paper's net: draw its random filters after 'he'.")
    paper = paper_net()
    convs = tuple(replace(c, init_std=p.init_std, bias=p.bias) for c, p in zip(spec.convs, paper.convs, strict=True))
    fulls = tuple(replace(f, init_std=p.init_std, bias=p.bias) for f, p in zip(spec.fulls, paper.fulls, strict=True))
    return replace(spec, convs=convs, fulls=fulls, fc8_init_std=paper.fc8_init_std)  # type: ignore[arg-type]
