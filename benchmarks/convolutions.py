"""What each faster way to compute a convolution saves: milliseconds of a base's training step, in float32.

    python -m benchmarks.convolutions [--blocks 12] [--steps 30]

writes convolutions.csv in --out, a row per set of ways: the small network on random images, one thread, blocks of steps
in turns, so that what else the machine does falls on all alike. A block counts by its median; of these, the smallest
and the median are kept.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import torch
from rich.console import Console
from torch.nn import functional as F

from transferkit.config import get_preset
from transferkit.disk import atomic
from transferkit.network import EightLayerNet
from transferkit.network.fast import Way
from transferkit.training.machine import device_name, keep_freed_memory, threads, versions
from transferkit.training.optimiser import SGD

FILE = Path(__file__).parent / "results" / "convolutions.csv"
LADDER: tuple[tuple[Way, ...], ...] = ((), ("folding",), ("folding", "covering"), ("folding", "covering", "winners"))
N_CLASSES, TOO_SMALL_TO_LEARN = 40, 1e-4
COLUMNS = ("ways", "fastest_ms", "median_ms", "blocks", "steps", "device", "torch", "date")


def main() -> None:
    """Measure, and write the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--blocks", type=int, default=12)
    options.add_argument("--steps", type=int, default=30)
    options.add_argument("--out", type=Path, default=FILE.parent)
    chosen = options.parse_args()
    about = (chosen.blocks, chosen.steps, device_name("cpu"), versions()["torch"], f"{datetime.now(UTC):%Y-%m-%d}")
    measured = measure(chosen.blocks, chosen.steps)
    table = pd.DataFrame([(*row, *about) for row in measured], columns=list(COLUMNS))
    atomic.write_bytes(chosen.out / FILE.name, table.to_csv(index=False, float_format="%.2f").encode())
    Console().print(table.to_string(index=False), highlight=False)


def measure(blocks: int, steps: int) -> list[tuple[str, float, float]]:
    """The ways of each rung of LADDER, and the smallest and the median of its blocks' medians, in milliseconds."""
    keep_freed_memory()
    networks = [_network(ways) for ways in LADDER]
    taken: list[list[float]] = [[] for _ in LADDER]
    with threads(1):
        for _ in range(blocks):
            for network, own in zip(networks, taken, strict=True):
                own.append(1000 * statistics.median(_seconds(network, steps)))
    return [
        (" ".join(ways) or "plain", min(own), statistics.median(own)) for ways, own in zip(LADDER, taken, strict=True)
    ]


def _network(ways: Sequence[Way]) -> EightLayerNet:
    spec = get_preset("quick").net
    network = EightLayerNet(spec, N_CLASSES)  # type: ignore[arg-type]
    network.initialise(lambda layer: ("convolutions", layer))
    network.ways = ways
    return network.to(memory_format=torch.channels_last)


def _seconds(network: EightLayerNet, steps: int) -> list[float]:
    recipe, size = get_preset("quick").recipe, network.spec.image_size
    optimiser = SGD(network.train(), recipe, "float32")
    images = torch.randint(0, 256, (recipe.batch_size, 3, size, size), dtype=torch.uint8)
    held, labels = network.held(images), torch.arange(recipe.batch_size) % N_CLASSES
    seconds = []
    for _ in range(steps):
        began = time.perf_counter()
        logits = network(network.to_input(held, torch.float32), weights=optimiser.weights)
        optimiser.step(F.cross_entropy(logits, labels), TOO_SMALL_TO_LEARN)
        seconds.append(time.perf_counter() - began)
    return seconds


if __name__ == "__main__":
    main()
