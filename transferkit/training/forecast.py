"""How much work a run takes, and how long a sweep takes on this machine, judged by a probe of some six seconds."""

import heapq
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from functools import partial

import msgspec
import psutil
import torch

from transferkit.config import Precision, Recipe, Setting, digest
from transferkit.disk import atomic
from transferkit.disk.prepared import Part
from transferkit.errors import StoreError
from transferkit.hardware import installed_code
from transferkit.network import LayeredNet, build, count_multiplications
from transferkit.training.data import HalfData
from transferkit.training.examples import Examples, read_half
from transferkit.training.loop import evaluate, train
from transferkit.training.machine import device_name, keep_freed_memory, threads, versions
from transferkit.training.optimiser import weights_in
from transferkit.training.study import Study
from transferkit.treatments import Run, groups_of

SECONDS_PER_DEPTH = 0.5
BATCHES = 20  # in one round; the fastest round counts
VALIDATION_IMAGES = 256
ROUND_MULTIPLICATIONS = {"cpu": 3e10, "cuda": 3e12}  # the most in one round, so that large networks take no minutes
SLOWEST, LATEST = 60.0, 600.0  # seconds that no image takes, and no worker to start: the clock or the file is wrong
OVERHEAD = 0.1  # share of a full network's time that a network takes even if all layers but the last are frozen


@dataclass(frozen=True)
class Probe:
    """Seconds per image on one of `workers` busy workers.

    `trained` and `evaluated` list them by the number of frozen layers, from 0 to all but one. `read` is for loading an
    image and computing all its frozen features, `folded` for loading alone. `start` is the number of seconds until a
    worker is ready. `busy` is the share of the processor (0..1) that other programs used just before the probe: the
    larger it is, the more the other numbers overestimate.
    """

    trained: tuple[float, ...]
    evaluated: tuple[float, ...]
    read: float
    folded: float
    start: float
    workers: int
    busy: float = 0.0

    def is_sound(self, depths: int) -> bool:
        """Whether all its numbers can be true, for networks of so many layers."""
        costs = (*self.trained, *self.evaluated, self.read, self.folded)
        there = len(self.trained) == len(self.evaluated) == depths and self.trained[0] > 0
        return there and all(0 <= cost < SLOWEST for cost in costs) and 0 <= self.start < LATEST and 0 <= self.busy <= 1


def probe(study: Study, count: int, workers: AbstractContextManager[Executor], *, again: bool = False) -> Probe:
    """Measure `count` workers at once, as a sweep uses them; or read what the store keeps, unless `again`.

    What is kept but damaged or absurd is measured again. Where nothing can be kept, this does without.
    """
    setting = study.setting
    key = (setting.net, setting.recipe, setting.device, setting.precision, setting.threads)
    name = digest((key, count, device_name(setting.device), versions(), installed_code()))
    path = study.store.work / "probes" / f"{name}.json"
    depths = len(setting.net.layers)
    with suppress(OSError, msgspec.DecodeError):
        found = msgspec.json.decode(path.read_bytes(), type=Probe)
        if found.is_sound(depths) and found.workers == count and not again:
            return found
    busy = min(1.0, psutil.cpu_percent(interval=0.5) / 100)
    submitted = time.monotonic()
    n_classes = len(study.prepared.manifest.classes) // 2
    with workers as executor:
        futures = [executor.submit(measure, setting, n_classes, submitted) for _ in range(count)]
        slowest = max((future.result() for future in futures), key=lambda one: one.trained[0])
    found = replace(slowest, workers=count, busy=busy)
    if found.is_sound(depths):
        with suppress(StoreError):
            atomic.write_bytes(path, msgspec.json.encode(found))
    return found


def measure(setting: Setting, n_classes: int, submitted: float) -> Probe:
    """The probe of one worker on random images; `submitted` is the time, by `monotonic`, at which it was asked for."""
    start = max(0.0, time.monotonic() - submitted)
    network, layers = build(setting.net, n_classes), setting.net.layers
    depths = range(len(layers))
    network.initialise(lambda layer: ("probe", layer), he=True)
    network.to(setting.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    half, recipe = _random_half(setting, n_classes)
    keep_freed_memory()
    with threads(setting.threads):
        read_depths = partial(read_half, network, half, setting.precision, augment=bool(setting.recipe.augment))
        examples = read_depths(depths)
        read, folded = (_fastest(partial(read_depths, each), 0.1) / len(half.labels) for each in (depths, (0,)))
        costs = []
        for depth in depths:
            network.freeze(layers[:depth])
            costs.append(_seconds_per_image(network, examples[depth], recipe, setting.precision))
    return Probe(tuple(cost[0] for cost in costs), tuple(cost[1] for cost in costs), read, folded, start, workers=1)


def forecast(study: Study, runs: Sequence[Run], found: Probe) -> float:
    """Seconds to train these runs, bases first, then the longest groups, on the number of workers of the probe."""
    bases, others = ([group for group in groups_of(runs) if (group[0].n == 0) is base] for base in (True, False))
    seconds = {group: sum(seconds_of(study, run, found, len(group)) for run in group) for group in bases + others}
    free = [found.start] * found.workers
    for group in bases + sorted(others, key=lambda group: -seconds[group]):
        heapq.heapreplace(free, free[0] + seconds[group])
    return max(free)


def seconds_of(study: Study, run: Run, found: Probe, sharing: int = 1) -> float:
    """Seconds that one worker takes for a run; `sharing` networks, itself included, share the pass over the images."""
    train, valid = images_of(study, run, "train"), images_of(study, run, "valid")
    depth = 0 if run.finetune else run.n
    epoch = train * found.trained[depth] + valid * found.evaluated[depth]
    read = found.read / sharing if depth else found.folded
    return study.setting.recipe.epochs * epoch + (train + valid) * read


def _random_half(setting: Setting, n_classes: int) -> tuple[HalfData, Recipe]:
    """Images for one round of batches, and the recipe of a round: one epoch, with steps too small to diverge."""
    cost = 3 * sum(count_multiplications(setting.net, n_classes).values())
    affordable = max(4, int(ROUND_MULTIPLICATIONS[setting.device] / cost))
    batch_size = min(setting.recipe.batch_size, affordable)
    n_images = batch_size * max(1, min(BATCHES, affordable // batch_size))
    shape = (n_images, 3, setting.net.image_size, setting.net.image_size)
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator).to(setting.device)
    labels = torch.arange(n_images, device=setting.device) % n_classes
    recipe = replace(setting.recipe, epochs=1, batch_size=batch_size, learning_rate=1e-6, images_per_class=None)
    return HalfData(images, labels, n_classes), recipe


def _seconds_per_image(
    network: LayeredNet, examples: Examples, recipe: Recipe, precision: Precision
) -> tuple[float, float]:
    """The seconds per image of training and of evaluation, each from the fastest of several rounds."""
    inputs, labels = examples.inputs[:VALIDATION_IMAGES], examples.labels[:VALIDATION_IMAGES]
    few = replace(examples, inputs=inputs, labels=labels)
    weights = weights_in(network, precision)
    evaluation = _fastest(lambda: evaluate(network, few, weights), SECONDS_PER_DEPTH / 10)
    epoch = _fastest(lambda: list(train(network, (examples, few), recipe, precision)), SECONDS_PER_DEPTH)
    return max(0.0, epoch - evaluation) / len(examples.labels), evaluation / len(few.labels)


def _fastest(action: Callable[[], object], seconds: float) -> float:
    """The shortest time that an action takes, in seconds, when it is repeated for `seconds` after a first time."""
    action()  # the first time includes what is compiled on first use
    taken: list[float] = []
    while not taken or sum(taken) < seconds:
        began = time.perf_counter()
        action()
        taken.append(time.perf_counter() - began)
    return min(taken)


def images_of(study: Study, run: Run, part: Part) -> int:
    """How many training or validation images the run's target half should have, by the manifest."""
    manifest = study.prepared.manifest
    first, last = manifest.train if part == "train" else manifest.valid
    per_class = (last - first) / len(manifest.classes)
    if part == "train":
        per_class = study.setting.recipe.images_per_class or per_class
    return round(per_class * len(study.prepared.split(run.split).classes(run.target)))


def expected_images(study: Study, run: Run) -> int:
    """How many training images a run reads in all epochs together."""
    return images_of(study, run, "train") * study.setting.recipe.epochs


def relative_cost(study: Study, run: Run) -> float:
    """A run's time as a share of a base network's, by multiply-adds.

    The frozen layers are computed once; in every epoch, if each shows other views of the images.
    """
    counts = count_multiplications(study.setting.net, len(study.prepared.manifest.classes) // 2)
    frozen = 0 if run.finetune else sum(counts[layer] for layer in study.setting.net.layers[: run.n])
    total = sum(counts.values())
    times = 1.0 if study.setting.recipe.augment else 1 / study.setting.recipe.epochs
    share = (3 * (total - frozen) + frozen * times) / (3 * total)
    return OVERHEAD + (1 - OVERHEAD) * share
