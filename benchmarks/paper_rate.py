"""How fast the paper's network trains here: images per second by number of frozen layers, on random images.

    python -m benchmarks.paper_rate [--device cuda] [--precision bfloat16] [--batch 256] [--steps 20] [--depths 0 4 7]

writes a row per number of frozen layers to paper-rate.csv in --out, in place of earlier ones of the same device and
precision. The images, of 256 x 256 pixels, are in the memory of the device; each is cropped at random and mirrored, as
the recipe says. Frozen layers are computed forward in every step. course/cost.md says what this means for the paper.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import torch
from rich.console import Console

from transferkit.config import Device, Precision, Preset, get_preset
from transferkit.disk import atomic
from transferkit.disk.checkpoints import EpochLog
from transferkit.network import build
from transferkit.training.data import HalfData
from transferkit.training.examples import read_half
from transferkit.training.loop import train
from transferkit.training.machine import choose_device, choose_precision, device_name, threads, versions
from transferkit.treatments import LAYERS

FILE = Path(__file__).parent / "results" / "paper-rate.csv"
MARGIN = 29  # pixels: images of 256 are read at 227
N_CLASSES = 1000
EVALUATED = 4  # images


def main() -> None:
    """Measure, and write the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--device", default="auto")
    options.add_argument("--precision", default="auto")
    options.add_argument("--batch", type=int, default=256, help="images per step (default: 256, as in the paper)")
    options.add_argument("--steps", type=int, default=20, help="steps that are timed (default: 20)")
    options.add_argument("--depths", type=int, nargs="+", default=list(range(len(LAYERS))), help="frozen layers")
    options.add_argument("--out", type=Path, default=FILE.parent)
    chosen = options.parse_args()
    device = choose_device(chosen.device)
    precision = choose_precision(chosen.precision, device)
    rates = measure(get_preset("paper"), device, precision, (chosen.batch, chosen.steps), chosen.depths)
    rows = [{**about(device, precision, chosen.batch, chosen.steps), "frozen": n, "rate": rate} for n, rate in rates]
    atomic.write_bytes(chosen.out / FILE.name, merged(chosen.out / FILE.name, pd.DataFrame(rows)).encode())
    Console().print(pd.DataFrame(rows).to_string(index=False), highlight=False)


def measure(
    preset: Preset, device: Device, precision: Precision, work: tuple[int, int], depths: list[int]
) -> Iterator[tuple[int, float]]:
    """Each of `depths`, the number of frozen layers, with the images per second; `work` is the batch and the steps.

    The first of two epochs is not timed. The second ends with the evaluation of a few images, which do not count. On
    a CPU this uses one thread and measures its CPU time, so that other programs may run meanwhile.
    """
    batch, steps = work
    generator, size = torch.Generator().manual_seed(0), preset.net.image_size + MARGIN
    images = torch.randint(0, 256, (batch * steps, 3, size, size), dtype=torch.uint8, generator=generator).to(device)
    labels = torch.arange(len(images), device=device) % N_CLASSES
    half, few = (HalfData(images[:count], labels[:count], N_CLASSES) for count in (len(images), EVALUATED))
    with threads(1):
        for depth in depths:
            epochs = _epochs(preset, (half, few), precision, batch, depth)
            next(epochs)
            began = _now(device)
            next(epochs)
            yield depth, batch * steps / (_now(device) - began)


def merged(path: Path, rows: pd.DataFrame) -> str:
    """The table of a file as CSV, with these rows in place of any of the same device, precision and frozen layers."""
    keys = ["device", "precision", "frozen"]
    kept = pd.concat([pd.read_csv(path), rows]) if path.exists() else rows
    return kept.drop_duplicates(keys, keep="last").sort_values(keys).to_csv(index=False)


def _epochs(
    preset: Preset, halves: tuple[HalfData, HalfData], precision: Precision, batch: int, depth: int
) -> Iterator[EpochLog]:
    """Two epochs of a network, in steps too small to diverge."""
    network = build(preset.net, N_CLASSES)
    network.initialise(lambda layer: ("rate", layer), he=True)
    network.freeze(LAYERS[:depth])
    network.to(halves[0].images.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    recipe = replace(preset.recipe, batch_size=batch, learning_rate=1e-6, epochs=2)
    train_half, few = (
        read_half(network, half, precision, {depth}, augment=augment)[depth]
        for half, augment in zip(halves, (bool(recipe.augment), False), strict=True)
    )
    return train(network, (train_half, few), recipe, precision, "rate")


def _now(device: Device) -> float:
    """Seconds: on a GPU by the clock, after all its work is done; on a CPU the CPU time of this process."""
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def about(device: Device, precision: Precision, batch: int, steps: int) -> dict[str, object]:
    """What each row of the table says besides the number of frozen layers and the rate."""
    return {
        "device": device_name(device) + (", one core" if device == "cpu" else ""), "precision": precision,
        "torch": versions()["torch"], "date": f"{datetime.now(UTC):%Y-%m-%d}", "batch": batch, "steps": steps,
    }  # fmt: skip


if __name__ == "__main__":
    main()
