"""How many pictures per second one core packs, beside torchvision's ImageFolder with Resize and CenterCrop.

    python -m benchmarks.packing course/results/packing.csv

makes 300 JPEGs of 500 x 375 pixels (the usual size in ILSVRC 2012) from photographs of scikit-image, then lets every
method read all of them in turn, in several rounds. Rates are per second of CPU time, so that they hold for one core
whatever else the machine does. "packing from a draft" uses Pillow's draft mode, which decodes JPEGs at a fraction of
their size: it is allowed only if its pixels are close enough to those of packing (in grey values out of 255).
"""

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from rich.console import Console
from skimage import data
from torchvision.datasets import ImageFolder
from torchvision.transforms import CenterCrop, Compose, PILToTensor, Resize

from data_prep.folder import list_folder
from data_prep.listing import Fitting
from data_prep.packing import write_listing
from data_prep.pictures import square
from data_prep.sources import Folder
from data_prep.workers import make_chunk
from transferkit.disk import atomic

PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket", "immunohistochemistry", "hubble_deep_field")
FILES, WIDTH, HEIGHT, QUALITY = 300, 500, 375, 92
SIZES, ROUNDS = (64, 128), 7
TOLERANCE = 1  # grey values: pictures that differ by no more count as the same

Read = Callable[[], np.ndarray]  # N x 3 x size x size, uint8


def make_pictures(folder: Path) -> None:
    """Random views of the photographs as JPEGs, a class folder for each photograph."""
    generator = np.random.default_rng(0)
    for name in PHOTOGRAPHS:
        photograph = Image.fromarray(getattr(data, name)())
        (folder / name).mkdir(parents=True)
        most = min(photograph.width / WIDTH, photograph.height / HEIGHT)
        for row in range(FILES // len(PHOTOGRAPHS)):
            scale = most * generator.uniform(0.6, 1)
            left = generator.uniform(0, photograph.width - scale * WIDTH)
            top = generator.uniform(0, photograph.height - scale * HEIGHT)
            box = (left, top, left + scale * WIDTH, top + scale * HEIGHT)
            view = photograph.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, box)
            view.save(folder / name / f"{row:03}.jpg", quality=QUALITY)


def packing(folder: Path, places: tuple[str, ...], size: int) -> np.ndarray:
    """What a process of data_prep does."""
    return np.frombuffer(make_chunk(Folder(folder), Fitting(size), places).pixels, np.uint8).reshape(-1, 3, size, size)


def from_draft(folder: Path, places: tuple[str, ...], size: int) -> np.ndarray:
    """The same, from JPEGs decoded at a fraction of their size."""
    images = []
    for place in places:
        image = Image.open(io.BytesIO((folder / place).read_bytes()))
        image.draft("RGB", (size, size))
        images.append(square(image.convert("RGB"), size))
    return np.stack(images)


def image_folder(folder: Path, places: tuple[str, ...], size: int) -> np.ndarray:
    """What one would write with torchvision."""
    pictures = ImageFolder(str(folder), Compose([Resize(size), CenterCrop(size), PILToTensor()]))
    return torch.stack([pictures[row][0] for row in range(len(places))]).numpy()


def whole(folder: Path, places: tuple[str, ...], size: int) -> np.ndarray:
    """The whole command: list and hash every file, pack, write with receipts, checksums and a contact sheet."""
    with tempfile.TemporaryDirectory() as out:
        write_listing(Path(out) / "packed", list_folder(folder, "packed"), Fitting(size), workers=1)
        images: np.ndarray = np.load(Path(out) / "packed" / "images.npy")
        return images


METHODS = {
    "packing": packing,
    "packing, whole command": whole,
    "ImageFolder, Resize, CenterCrop": image_folder,
    "packing from a draft": from_draft,
}


def measure(folder: Path, size: int) -> list[dict[str, object]]:
    """One row for each method; the methods take turns."""
    places = tuple(Folder(folder).sizes())
    reads: dict[str, Read] = {name: partial(method, folder, places, size) for name, method in METHODS.items()}
    images = {name: read() for name, read in reads.items()}  # also warms the caches
    rates: dict[str, list[float]] = {name: [] for name in reads}
    for _ in range(ROUNDS):
        for name, read in reads.items():
            start = time.process_time()
            read()
            rates[name].append(len(places) / (time.process_time() - start))
    rows = []
    for name in reads:
        apart = np.abs(images[name].astype(int) - images["packing"])
        if name == "packing, whole command":  # in another order: training images first
            apart = np.abs(np.sort(images[name].sum((1, 2, 3), int)) - np.sort(images["packing"].sum((1, 2, 3), int)))
        rows.append({
            "size": size, "method": name, "images_per_s": np.median(rates[name]).round(),
            "lowest": np.round(min(rates[name])), "highest": np.round(max(rates[name])), "rounds": ROUNDS,
            "files": len(places), "mean_difference": apart.mean().round(2), "largest_difference": apart.max(),
            "same_pictures": bool(apart.max() <= TOLERANCE),
        })  # fmt: skip
    return rows


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path)
    out = parser.parse_args().csv
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        make_pictures(Path(name) / "pictures")
        table = pd.DataFrame([row for size in SIZES for row in measure(Path(name) / "pictures", size)])
    atomic.write_bytes(out, table.to_csv(index=False).encode())
    Console(width=160).print(table.to_string(index=False), markup=False, highlight=False)


if __name__ == "__main__":
    main()
