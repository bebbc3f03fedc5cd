"""Everything that decides a result apart from the run itself: the network, the recipe, and presets of both."""

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from transferkit.errors import UsageError

Norm = Literal["none", "lrn", "batch"]
Schedule = Literal["one-cycle", "step"]
RandomFilters = Literal["he", "published"]
Augment = Literal["crop", "mirror", "crop and mirror"]


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


@dataclass(frozen=True)
class FullSpec:
    """One hidden fully-connected layer: ReLU follows, then dropout with probability `dropout`."""

    units: int
    dropout: float = 0.0
    init_std: float | None = None
    bias: float = 0.0


@dataclass(frozen=True)
class NetSpec:
    """Eight layers: conv1..conv5, fc6, fc7, and fc8 with one output per class. Images are square, in pixels."""

    name: str
    image_size: int
    convs: tuple[ConvSpec, ConvSpec, ConvSpec, ConvSpec, ConvSpec]
    fulls: tuple[FullSpec, FullSpec]
    fc8_init_std: float | None = None


@dataclass(frozen=True)
class Recipe:
    """How every network of a grid is trained; the same for all treatments.

    `learning_rate` is the peak; "one-cycle" rises to it over the first `warmup` of the training and falls
    to zero along a cosine, "step" divides it by ten after each fraction in `drops`. Biases learn at
    `bias_rate` times the rate and have no weight decay. `images_per_class` limits the training images to
    the first so many of each class. `random_filters` says how the frozen random layers of RnB are drawn: after
    He et al. 2015, or as published, a Gaussian so small that the layers above them never left the plateau.
    `augment` shows another view of each image in each epoch: a random crop of an image larger than the network
    reads (the test reads its centre), mirrored at random, or both. Unset, it is no part of the digest.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    schedule: Schedule = "one-cycle"
    warmup: float = 0.25
    drops: tuple[float, ...] = ()
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    bias_rate: float = 1.0
    images_per_class: int | None = None
    random_filters: RandomFilters = "he"
    augment: Augment | UnsetType = UNSET


@dataclass(frozen=True)
class Preset:
    """A network and a recipe that fit a purpose and a machine."""

    name: str
    purpose: str
    net: NetSpec
    recipe: Recipe


Device = Literal["cpu", "cuda"]
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class Setting:
    """What decides a run's numbers besides the run itself. `threads` counts, as sums depend on their order.

    `protocol` goes up whenever the library changes what a run computes, so that old receipts are not mistaken
    for new ones. `source_recipe` is the one that the bases to copy from were trained with, where it is not
    `recipe`: so a small target set can be met with a base that saw its whole half.
    """

    data: str
    data_checksum: str
    net: NetSpec
    recipe: Recipe
    device: Device = "cpu"
    precision: Precision = "float32"
    threads: int = 1
    protocol: int = 2
    source_recipe: Recipe | None = None

    @property
    def of_source(self) -> "Setting":
        """The setting that the bases to copy from were trained under."""
        return replace(self, recipe=self.source_recipe, source_recipe=None) if self.source_recipe else self


def digest(value: object) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a frozen dataclass, written as canonical JSON."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:16]


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
    """The network of the paper (Caffe's AlexNet): 60.97 million parameters with 1000 outputs."""
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
    )


def with_published_init(spec: NetSpec) -> NetSpec:
    """The same network that starts from the standard deviations and biases of the paper's."""
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


def presets() -> dict[str, Preset]:
    """All presets by name."""
    quick = Recipe(epochs=6, batch_size=64, learning_rate=0.02, weight_decay=2e-3)
    smoke = Recipe(epochs=2, batch_size=16, learning_rate=0.02, images_per_class=16)
    group = Recipe(epochs=24, batch_size=64, learning_rate=0.02, weight_decay=2e-3)
    paper = Recipe(
        epochs=179, batch_size=256, learning_rate=0.01, schedule="step", warmup=0.0,
        drops=(100 / 450, 200 / 450, 300 / 450, 400 / 450), nesterov=False, bias_rate=2.0, augment="crop and mirror",
    )  # fmt: skip
    listed = (
        Preset("smoke", "seconds, for tests: the whole path, no science", small_net(), smoke),
        Preset("quick", "two CPU cores: the grid in minutes", small_net(), quick),
        Preset("class", "one GPU: twice the channels, four times the epochs", small_net(width=2), group),
        Preset("paper", "ImageNet on a large GPU: the published net and schedule", paper_net(), paper),
    )
    return {preset.name: preset for preset in listed}


def get_preset(name: str) -> Preset:
    """The preset called `name`. Raises UsageError with the names there are."""
    known = presets()
    if name not in known:
        raise UsageError(f"'{name}' is no preset: choose {', '.join(known)}.")
    return known[name]
