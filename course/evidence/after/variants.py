"""The variants of training that work after 2014 proposes, and those that they are compared with."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from transferkit.config import Recipe, Setting
from transferkit.treatments import HALVES, LAYERS, Half, Run

OfImages = Literal["cast", "blur", "noise"]
Shift = Literal["cast", "blur", "noise", "labels"]
How = Literal[
    "scratch", "frozen", "fine-tuned", "probed first", "small rate", "scale alone",
    "first block", "middle block", "last block", "all blocks",
]  # fmt: skip
OF_IMAGES: tuple[OfImages, ...] = get_args(OfImages)
NO_SHIFT = "no shift"  # in the column shift
BLOCKS: Mapping[How, tuple[str, ...]] = {
    "first block": LAYERS[:2],
    "middle block": LAYERS[2:5],
    "last block": LAYERS[5:],
    "all blocks": LAYERS,
}
COLUMNS = (  # of after.csv, one row for each network
    "key", "how", "n", "images_per_class", "epochs", "rate", "shift", "split", "seed", "target", "data", "top1",
    "early", *OF_IMAGES, "train_loss", "seconds",
)  # fmt: skip
PLAIN: tuple[How, ...] = ("scratch", "frozen", "fine-tuned")  # networks of the paper's own grid, at some recipe
SLOWER = 0.1  # copied layers at a small rate learn at this fraction of the others' rate
GENTLE = 0.2  # of the recipe's peak rate: the second rate at which fine-tuning is tried
FEW, OFTEN = 10, 4  # images per class of a small target set, and how many times the recipe's epochs they are seen
LENGTHS = (12 / 32, 1, 2)  # of the recipe's epochs, with bases to copy from that are trained for the recipe's
TUNED_N, LONGER_N, WHOLE_N = (3, 7), 5, 7  # all but the last layer, as the papers copy


@dataclass(frozen=True)
class Variant:
    """One way to train a target's network: what is copied, what learns, on how many images, how long and how fast.

    `n` counts the layers that are copied from the other half's base; 0 for one from scratch, and for the blocks, which
    start from the target's own base. `rate` is the peak. With a `shift` it is trained and judged on shifted data.
    """

    how: How
    n: int
    epochs: int
    rate: float
    images_per_class: int | None = None
    shift: Shift | None = None

    def run(self, split: str, target: Half, seed: int = 0) -> Run:
        """The network that this variant starts as: a base, or a copy of n layers, frozen or not."""
        if self.n == 0:
            return Run(split, seed, target)
        source: Half = "B" if target == "A" else "A"
        return Run(split, seed, target, source, self.n, finetune=self.how not in ("frozen", "probed first"))

    def setting(self, usual: Setting) -> Setting:
        """The setting that the library trains a plain variant under: bases to copy from keep the usual recipe."""
        recipe = replace(usual.recipe, epochs=self.epochs, learning_rate=self.rate)
        recipe = replace(recipe, images_per_class=self.images_per_class or recipe.images_per_class)
        copies_another = recipe != usual.recipe and (self.n or self.images_per_class)
        return replace(usual, recipe=recipe, source_recipe=usual.recipe if copies_another else None)


def halves_of(variant: Variant) -> tuple[Half, ...]:
    """The target halves of a variant: both on few images, half B alone on all, where it takes as long as a base."""
    return HALVES if variant.images_per_class else ("B",)


def variants(recipe: Recipe) -> tuple[Variant, ...]:
    """All variants, each once, given the usual recipe."""
    return tuple(dict.fromkeys((*_copied(recipe), *_longer(recipe), *_blocks(recipe))))


def _copied(recipe: Recipe) -> Iterator[Variant]:
    """On all images and on few: from scratch, frozen, fine-tuned, and new ways, at two rates where it may matter."""
    whole = Variant("scratch", 0, recipe.epochs, recipe.learning_rate)
    few = replace(whole, epochs=OFTEN * recipe.epochs, images_per_class=FEW)
    for size in (whole, few):
        yield size
        for n in TUNED_N:
            copy = replace(size, n=n)
            yield from (replace(copy, how=how) for how in ("frozen", "fine-tuned", "small rate"))
        for rate in (size.rate, GENTLE * size.rate):
            yield replace(size, how="fine-tuned", n=WHOLE_N, rate=rate)
            yield replace(size, how="probed first", n=WHOLE_N, rate=rate)
    yield replace(whole, how="scale alone", n=WHOLE_N)


def _longer(recipe: Recipe) -> Iterator[Variant]:
    for times in LENGTHS:
        scratch = Variant("scratch", 0, max(1, round(times * recipe.epochs)), recipe.learning_rate)
        yield from (scratch, replace(scratch, how="fine-tuned", n=LONGER_N))


def _blocks(recipe: Recipe) -> Iterator[Variant]:
    """One block of the target's own base is tuned, on few shifted images; new labels take longer to learn."""
    shifts: tuple[Shift, ...] = (*OF_IMAGES, "labels")
    for shift in shifts:
        epochs = recipe.epochs * (OFTEN if shift == "labels" else 1)
        for how in BLOCKS:
            for rate in (recipe.learning_rate, GENTLE * recipe.learning_rate):
                yield Variant(how, 0, epochs, rate, FEW, shift)
