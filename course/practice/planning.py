"""What a curve computes and how long that takes here: as many networks as the minutes allow, said before they start."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import torch
from rich.table import Table

from course.practice.features import BATCH, Origin, given_network, to_network
from course.practice.folds import check_folds
from course.practice.networks import Design, designs, seconds_for, usual_epochs
from transferkit.config import digest
from transferkit.console import clock
from transferkit.disk import atomic
from transferkit.errors import UsageError, whole
from transferkit.hardware import usable_cores
from transferkit.training.machine import threads

if TYPE_CHECKING:
    from course.practice.bench import Bench
    from transferkit.training.forecast import Probe

HEAD_SECONDS = 0.25  # of one head per thousand pictures; with more classes and channels it takes longer


@dataclass(frozen=True)
class Limits:
    """What a curve may take, and of what.

    `size` is the side of the pictures in pixels (None: what the network takes), `minutes` the time on this machine.
    With `frozen_only`, heads alone are trained. With `statistics`, heads also read a network of which only each
    tensor's mean and deviation are as given. `epochs` of fine-tuning replace the usual number.
    """

    size: int | None = None
    folds: int = 5
    minutes: float = 15.0
    frozen_only: bool = False
    statistics: bool = False
    seeds: Sequence[int] = (0,)
    device: str = "auto"
    epochs: int | None = None

    def __post_init__(self) -> None:
        check_folds(self.folds)
        object.__setattr__(self, "seeds", tuple(whole("seed", seed, 0) for seed in self.seeds))
        if not self.seeds or len({*self.seeds}) != len(self.seeds):
            raise UsageError("--seeds: give at least one, each once.")
        if self.epochs is not None:
            whole("epochs", self.epochs, 1)
        if not self.minutes > 0:
            raise UsageError(f"--minutes {self.minutes:g}: give a number above 0; --frozen-only takes the fewest.")

    @property
    def origins(self) -> tuple[Origin, ...]:
        """Whose features heads read, besides those of the networks that are trained."""
        return ("P", "R", "V") if self.statistics else ("P", "R")


@dataclass(frozen=True)
class Plan:
    """The networks to train, if any, and the seconds that features, heads and networks take if nothing is there yet."""

    design: Design | None
    passes: int
    heads: int
    seconds: tuple[float, float, float]
    workers: int = 1


def plan_curve(bench: Bench, limits: Limits) -> Plan:
    """The most work that the minutes allow; the same again whenever the same is asked, so that nothing is redone."""
    path = bench.folder / f"plan-{digest(limits)}.json"
    if path.is_file():
        return msgspec.json.decode(path.read_bytes(), type=Plan)
    per_picture, found = seconds_per_picture(bench), None if limits.frozen_only else _probe(bench)
    chosen = _priced(bench, limits, None, per_picture, found)
    if found:
        train_pictures = len(bench.pictures.labels) * (bench.folds - 1) // bench.folds
        epochs, points = limits.epochs or usual_epochs(train_pictures), tuple(bench.net.chop_points)
        wanted = designs(bench.folds, epochs, points, longer=limits.epochs is None)
        plans = (_priced(bench, limits, design, per_picture, found) for design in wanted)
        chosen = next((plan for plan in plans if sum(plan.seconds) <= 60 * limits.minutes), chosen)
    atomic.write_bytes(path, msgspec.json.encode(chosen))
    return chosen


def plan_table(bench: Bench, limits: Limits, plan: Plan) -> Table:
    """The plan for people."""
    manifest, size = bench.pictures.prepared.manifest, bench.net.image_size
    pictures = f"{len(bench.pictures.labels)} pictures of {size} pixels, {bench.n_classes} classes"
    title = f"{manifest.name}: {pictures}; {bench.net.name}"
    table = Table("what", "how many", "about (minutes:seconds)", title=title)
    sources = " ".join([*limits.origins, *(["T"] if plan.design else [])])
    features, heads, networks = map(clock, plan.seconds)
    table.add_row(f"features of all layers ({sources})", f"{plan.passes} passes over the pictures", features)
    table.add_row("linear heads", f"{plan.heads}", heads)
    if plan.design:
        count = plan.design.folds * len(bench.seeds)
        for run, epochs in plan.design.runs(0):
            table.add_row(
                f"{run.label}, {epochs} epochs", f"{count}, in {plan.design.folds} of {bench.folds} folds", ""
            )
        table.add_row("all networks", f"{plan.workers} at a time", networks)
    without = "" if plan.design or limits.frozen_only else f"; {limits.minutes:g} minutes are too few to train networks"
    total = f"about {clock(sum(plan.seconds))} in all{without}"
    table.caption = f"{bench.folds} folds; {total}; what is there already is not done again"
    return table


def seconds_per_picture(bench: Bench) -> float:
    """Seconds that the features of one picture take, by the faster of two batches."""
    network = given_network(bench.net, bench.n_classes, bench.weights).to(bench.device).eval()
    images = bench.pictures.images[:BATCH]
    taken = []
    with torch.inference_mode(), threads(usable_cores()):
        for _ in range(2):
            began = time.perf_counter()
            network(to_network(network, images, bench.device)).cpu()
            taken.append(time.perf_counter() - began)
    return min(taken) / len(images)


def _probe(bench: Bench) -> Probe:
    from transferkit.training.forecast import probe
    from transferkit.training.workers import default_workers, local_workers

    count = default_workers(bench.device)
    return probe(bench.study(bench.seeds[0], 0, epochs=1), count, local_workers(count))


def _priced(
    bench: Bench, limits: Limits, design: Design | None, per_picture: float, found: Probe | None
) -> Plan:  # fmt: skip
    """The plan with this design. P has one pass, R and V one per draw, so per seed and fold, and T one per fold."""
    seeds, count = len(bench.seeds), len(bench.pictures.labels)
    chop_points, of_folds = len(bench.net.chop_points), design.folds if design else 0
    passes = 1 + seeds * (bench.folds * (len(limits.origins) - 1) + of_folds)
    heads = chop_points * seeds * (bench.folds * len(limits.origins) + of_folds)
    networks = 0.0
    if design and found:
        networks = seconds_for(design, bench.study(bench.seeds[0], 0, epochs=1), found, bench.seeds)
    seconds = (passes * count * per_picture, heads * HEAD_SECONDS * count / 1000, networks)
    return Plan(design, passes, heads, seconds, found.workers if found else 1)
