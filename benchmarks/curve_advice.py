"""How good is the advice of `transferkit curve`? Tried on small real folders, on pictures that took no part in it.

    python -m benchmarks.curve_advice --work FOLDER --weights shapeworld=FILE --out course/results/curve-advice.csv

For each folder, given weights and seed, a curve is measured (its folds and first weights depend on the seed). Then its
pictures are divided in two: what the one half advises is measured on the other, and the other way round, beside what
people do without choosing. A row is one advice; what is there already is not done again.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console

from course.practice.advice import alternatives, choose, divide_in_two
from course.practice.options import Answers
from course.practice.question import curve
from course.practice.words import learned_gain
from data_prep.regions import PHOTOS
from data_prep.tiles import write_tiles

SEEDS = range(5)
FEW, SOME = 20, 40  # pictures of a class
KINDS = {"natural": True, "made": False}
NOISE = 0.2  # of the labels
FOLDS = 3
ALL = ("photographs", "few", "kinds", "noisy", "digits", "faces")
NO_PHOTOGRAPHS = ("digits", "faces")  # for weights that photographs trained, of which the other folders are made

Named = Mapping[str, Sequence[Image.Image]]


@dataclass(frozen=True)
class Given:
    """Given weights: their name in the table, what `curve` takes for them, their network, and the folders to try.

    `epochs` are those of fine-tuning; from scratch, it takes twice as many.
    """

    name: str
    weights: str
    net: str | None
    folders: tuple[str, ...]
    epochs: int = 16


def folders(work: Path) -> dict[str, Named]:
    """Small folders of real pictures by name, each with its pictures by class."""
    tiles = {folder.name: _drawn(folder, SOME) for folder in sorted(write_tiles(work / "pictures" / "tiles").iterdir())}
    kinds = {kind: [photo.name for photo in PHOTOS if photo.natural is flag] for kind, flag in KINDS.items()}
    some = {name: tiles[name] for name in list(tiles)[::2]}
    return {
        "photographs": tiles,
        "few": {name: pictures[:FEW] for name, pictures in tiles.items()},
        "kinds": {kind: [it for name in names for it in tiles[name][:FEW]] for kind, names in kinds.items()},
        "noisy": mislabelled(some),
        "digits": _digits(),
        "faces": _faces(),
    }


def write_folder(root: Path, classes: Named) -> Path:
    """Write the pictures of each class into a folder of its own, once."""
    if not root.is_dir():
        for name, pictures in classes.items():
            (root.with_name(f".{root.name}") / name).mkdir(parents=True)
            for number, picture in enumerate(pictures):
                picture.save(root.with_name(f".{root.name}") / name / f"{number:03}.png")
        root.with_name(f".{root.name}").rename(root)
    return root


def advices(answers: Answers, seed: int) -> Iterator[dict[str, float | str | int]]:
    """What either half of the pictures advises, and what that gains on the other half, in points."""
    asked = answers.compared
    (half,) = divide_in_two(asked.copies, seed, times=1)
    for number in (0, 1):
        own, others = (asked.of(np.flatnonzero(half == part)) for part in (number, 1 - number))
        choice, _, _ = choose(own)
        accuracy = 100 * others.correct.mean(1)
        row: dict[str, float | str | int] = {
            "half": number, "chosen_on": own.correct.shape[1], "advice": asked.options[choice].label,
            "kind": asked.options[choice].kind, "top1": round(float(accuracy[choice]), 2),
            "best": round(float(accuracy[asked.positions("head", "fine-tuned", "scratch")].max()), 2),
        }  # fmt: skip
        for name, other in alternatives(asked):
            row[name] = round(float(accuracy[choice] - accuracy[other(own)]), 2)
        yield row


def measure(work: Path, given: Sequence[Given], console: Console) -> pd.DataFrame:
    """One row per folder, given weights, seed and half."""
    rows = []
    for one in given:
        for name, classes in folders(work).items():
            if name not in one.folders:
                continue
            folder = write_folder(work / "pictures" / name, classes)
            for seed in SEEDS:
                found = curve(
                    one.weights,
                    folder,
                    one.net,
                    work,
                    console,
                    folds=FOLDS,
                    seeds=(seed,),
                    epochs=one.epochs,
                    minutes=1e6,
                )
                about = {
                    "folder": name, "given": one.name, "pictures": found.answers.correct.shape[1], "seed": seed,
                    "scratch_gain": round(learned_gain(found.table), 2),
                }  # fmt: skip
                rows += [about | row for row in advices(found.answers, seed)]
    return pd.DataFrame(rows)


def _drawn(folder: Path, count: int) -> list[Image.Image]:
    """Some of the pictures in a folder, in an order that a fixed seed draws, so that neighbours are far apart."""
    files = sorted(folder.iterdir())
    order = np.random.default_rng(0).permutation(len(files))[:count]
    return [Image.open(files[index]).convert("RGB") for index in order]


def mislabelled(classes: Named) -> Named:
    """A share of the pictures of each class moves to the next one."""
    names = list(classes)
    moved = {name: round(NOISE * len(classes[name])) for name in names}
    before = {name: names[index - 1] for index, name in enumerate(names)}
    return {
        name: [*classes[name][moved[name] :], *classes[before[name]][: moved[before[name]]]] for name in names
    }  # fmt: skip


def _digits() -> Named:
    """Handwritten digits of 8 x 8 pixels, of scikit-learn."""
    from sklearn.datasets import load_digits

    found = load_digits()
    pixels: NDArray[np.uint8] = (255 * found.images / 16).astype(np.uint8)
    return {
        f"{digit}": [Image.fromarray(it).convert("RGB") for it in pixels[found.target == digit][:SOME]]
        for digit in range(10)
    }  # fmt: skip


def _faces() -> Named:
    """A hundred faces and a hundred other pictures of 25 x 25 pixels, of scikit-image."""
    from skimage import data

    faces: NDArray[np.float64] = data.lfw_subset()  # type: ignore[no-untyped-call]
    pixels = (255 * faces).clip(0, 255).astype(np.uint8)
    pictures = [Image.fromarray(it).convert("RGB") for it in pixels]
    return {"face": pictures[:100], "other": pictures[100:]}


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--weights", nargs="*", default=[], metavar="NAME=FILE", help="of the small network")
    parser.add_argument("--imagenet", action="store_true", help="also the installed efficientnet-lite0")
    parser.add_argument("--folders", nargs="+", default=ALL, help="only these")
    parser.add_argument("--out", type=Path, default=Path("course/results/curve-advice.csv"))
    options = parser.parse_args()
    named = (each.partition("=") for each in options.weights)
    given = [Given(name, file, "small", NO_PHOTOGRAPHS if name == "photos" else ALL) for name, _, file in named]
    if options.imagenet:
        given.append(Given("ImageNet", "efficientnet-lite0", None, ("few", "kinds"), epochs=5))
    given = [replace(one, folders=tuple(it for it in one.folders if it in options.folders)) for one in given]
    measure(options.work, given, Console(stderr=True)).to_csv(options.out, index=False)


if __name__ == "__main__":
    main()
