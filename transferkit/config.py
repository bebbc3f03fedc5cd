"""Everything apart from the run itself that decides a result: the network, the recipe, and presets of both."""

import hashlib
import math
from dataclasses import dataclass, replace
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from transferkit.errors import UsageError, whole
from transferkit.specs import Net, paper_net, paper_net_at_half_size, small_net
from transferkit.treatments import Run

Schedule = Literal["one-cycle", "step"]
RandomFilters = Literal["he", "published"]
Augment = Literal["crop", "mirror", "crop and mirror"]
Device = Literal["cpu", "cuda"]
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class Recipe:
    """How every network of a grid is trained; the same for all treatments.

    `learning_rate` is the peak. "one-cycle" rises to it over the first `warmup` (a fraction) of the training and falls
    to zero along a cosine; "step" divides it by ten after each fraction in `drops`. Biases learn at `bias_rate` times
    the rate and have no weight decay. `images_per_class` limits the training images of each class to that many, the
    first ones. `random_filters` says how the frozen random layers of RnB are drawn: after He et al. 2015, or as
    published, from a Gaussian so small that the layers above them never left the plateau. `augment` shows another view
    of each image in each epoch: a random crop of a larger image (validation reads the centre), mirrored at random, or
    both. `conv1_decay` is the weight decay of the first layer's filters, where it differs. Unset fields are not in the
    digest.
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
    conv1_decay: float | UnsetType = UNSET

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "images_per_class"):
            if (count := getattr(self, name)) is not None:
                object.__setattr__(self, name, whole(name, count, 1))


@dataclass(frozen=True)
class Preset:
    """A network and a recipe that fit a purpose and a machine."""

    name: str
    purpose: str
    net: Net
    recipe: Recipe


@dataclass(frozen=True)
class Setting:
    """What decides a run's numbers besides the run itself; `threads` does because it changes the order of sums.

    `protocol` goes up whenever the library changes what a run computes, so that old receipts are not mistaken for new
    ones. `source_recipe` is the recipe of the bases to copy from, if it is not `recipe`: so a base that saw its whole
    half can be copied into networks that see few images. `given` is the SHA-256 by which `Store.given` finds the
    weights that source P copies; unset, it does not enter the digest.
    """

    data: str
    data_checksum: str
    net: Net
    recipe: Recipe
    device: Device = "cpu"
    precision: Precision = "float32"
    threads: int = 1
    protocol: int = 2
    source_recipe: Recipe | None = None
    given: str | UnsetType = UNSET

    def of(self, run: Run) -> "Setting":
        """The setting of this run: without the given weights, if it does not copy them, so that studies share it."""
        return replace(self, given=UNSET) if self.given and run.source != "P" else self

    @property
    def of_source(self) -> "Setting":
        """The setting of the bases to copy from."""
        return replace(self, recipe=self.source_recipe, source_recipe=None) if self.source_recipe else self


def digest(value: object) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of a frozen dataclass, written as canonical JSON."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:16]


def presets() -> dict[str, Preset]:
    """All presets by name."""
    quick = Recipe(epochs=32, batch_size=64, learning_rate=0.02, weight_decay=2e-3)
    smoke = Recipe(epochs=2, batch_size=16, learning_rate=0.02, images_per_class=16)
    filters = Recipe(epochs=16, batch_size=64, learning_rate=0.02, weight_decay=2e-3, conv1_decay=0.02)
    retina = replace(small_net(), name="small-whitened", pixels="whitened")
    paper = Recipe(
        epochs=179, batch_size=256, learning_rate=0.01, schedule="step", warmup=0.0,
        drops=(100 / 450, 200 / 450, 300 / 450, 400 / 450), nesterov=False, bias_rate=2.0, augment="crop and mirror",
    )  # fmt: skip
    fast = Recipe(epochs=30, batch_size=256, learning_rate=0.02, bias_rate=2.0, augment="crop and mirror")
    listed = (
        Preset("smoke", "seconds, for tests: the whole path, no science", small_net(), smoke),
        Preset("quick", "two CPU cores: the grid in minutes", small_net(), quick),
        Preset("filters", "a clean first layer to look at: many views, whitened; conv1 decays faster", retina, filters),
        Preset("class", "one GPU: quick with twice the channels", small_net(width=2), quick),
        Preset("paper", "ImageNet on a large GPU: the published net and schedule", paper_net(), paper),
        Preset(
            "paper-fast", "ImageNet of 128 pixels on one GPU: unlike paper, conv1 has 7x7 filters in steps of 2, "
            "and 30 epochs of one cycle replace 179 of steps", paper_net_at_half_size(), fast,
        ),
    )  # fmt: skip
    return {preset.name: preset for preset in listed}


def get_preset(name: str, epochs: int | None = None, learning_rate: float | None = None) -> Preset:
    """The preset called `name`. Small data sets may need other `epochs` or another peak `learning_rate`.

    Raises UsageError for an unknown name, listing the known ones, for less than one epoch, and for a rate that is not
    a finite number above 0.
    """
    known = presets()
    if name not in known:
        raise UsageError(f"'{name}' is no preset: choose {', '.join(known)}.")
    recipe = known[name].recipe
    epochs = recipe.epochs if epochs is None else whole("epochs", epochs)
    if epochs < 1:
        raise UsageError(f"{epochs} epochs are no training: give 1 or more.")
    rate = recipe.learning_rate if learning_rate is None else learning_rate
    if not 0 < rate < math.inf:
        raise UsageError(f"{rate:g} is no learning rate: give a number above 0, as {recipe.learning_rate}.")
    return replace(known[name], recipe=replace(recipe, epochs=epochs, learning_rate=rate))
