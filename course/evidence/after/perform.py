"""Train one variant for one half of one split, and measure it: on images as trained, and on shifted ones."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from course.evidence.after.rates import train_slowly
from course.evidence.after.shifts import shifted
from course.evidence.after.variants import BLOCKS, COLUMNS, NO_SHIFT, OF_IMAGES, PLAIN, SLOWER, Variant
from transferkit.config import Recipe
from transferkit.disk.checkpoints import EpochLog
from transferkit.network import LayeredNet
from transferkit.randomness import generator_from
from transferkit.session import load_network
from transferkit.training.data import HalfData, load_half
from transferkit.training.examples import read_half
from transferkit.training.experiment import perform, training_keys
from transferkit.training.loop import evaluate, train
from transferkit.training.machine import threads
from transferkit.training.study import Study
from transferkit.training.surgery import operate
from transferkit.treatments import Half, Run

Halves = tuple[HalfData, HalfData]  # training, validation


def perform_variant(study: Study, variant: Variant, split: str, target: Half) -> dict[str, object]:
    """A row with COLUMNS but the key: top-1 (0..1) at the end, after a third of the epochs, and on shifted images.

    A plain variant on all images is trained, kept and found again by the library; the others only leave this row. The
    base that it copies from must be finished. `early` is NaN on few images. Variants of blocks are measured only on
    data shifted as those that they were trained on.
    """
    began = time.perf_counter()
    run = variant.run(split, target)
    with threads(study.setting.threads):
        valid = load_half(study.prepared, study.prepared.split(split), target, "valid")
        network, log = _trained(study, variant, run, valid)
        top1 = _top1(network, shifted(valid, variant.shift))
        tried = () if variant.shift else OF_IMAGES
        on_shifted = {shift: _top1(network, shifted(valid, shift)) for shift in tried}
    early = np.nan if variant.images_per_class else log[max(1, round(len(log) / 3)) - 1].top1
    values = (
        variant.how, variant.n, variant.images_per_class or study.setting.recipe.images_per_class or _most(study),
        variant.epochs, variant.rate, variant.shift or NO_SHIFT, split, run.seed, target, study.prepared.manifest.name,
        top1, early, *(on_shifted.get(shift, np.nan) for shift in OF_IMAGES), log[-1].train_loss,
        time.perf_counter() - began,
    )  # fmt: skip
    return dict(zip(COLUMNS[1:], values, strict=True))


def _most(study: Study) -> int:
    first, last = study.prepared.manifest.train
    return (last - first) // len(study.prepared.manifest.classes)


def _trained(study: Study, variant: Variant, run: Run, valid: HalfData) -> tuple[LayeredNet, Sequence[EpochLog]]:
    own = replace(study, setting=variant.setting(study.setting))
    if variant.how in PLAIN:
        kept = own.store.find(run, own.setting) if variant.images_per_class else perform(own, run)
        if kept is not None:
            return load_network(own, run), kept.log
    split = study.prepared.split(run.split)
    seen = load_half(study.prepared, split, run.target, "train", images_per_class=variant.images_per_class)
    if variant.images_per_class:  # it would take longer to measure each epoch than to train it
        valid = HalfData(valid.images[:1], valid.labels[:1], valid.n_classes)
    halves = shifted(seen, variant.shift), shifted(valid, variant.shift)
    network = _start(study, variant, run, seen.n_classes)
    log: list[EpochLog] = []
    for recipe in _phases(variant, own.setting.recipe):
        log += _train(network, halves, recipe, run, slow=variant.how == "small rate")
        network.freeze(network.frozen if variant.how == "frozen" else ())
    return network, log


def _phases(variant: Variant, recipe: Recipe) -> tuple[Recipe, ...]:
    """One training, or two of half the length: of what lies above the copied layers, and then of all."""
    if variant.how != "probed first":
        return (recipe,)
    half = recipe.epochs // 2
    return replace(recipe, epochs=half), replace(recipe, epochs=recipe.epochs - half)


def _start(study: Study, variant: Variant, run: Run, n_classes: int) -> LayeredNet:
    if variant.how in BLOCKS:
        network = load_network(study, run)
        network.freeze(set(network.layers) - set(BLOCKS[variant.how]))
        return network
    source = study.store.weights(run.source_base, study.setting) if run.source_base else None
    source = scale_alone(source, run) if source and variant.how == "scale alone" else source
    network = operate(study.setting.net, n_classes, run, source).network
    network.to(memory_format=torch.channels_last)
    return network


def _train(network: LayeredNet, halves: Halves, recipe: Recipe, run: Run, *, slow: bool) -> Iterator[EpochLog]:
    depth = network.frozen_depth
    training, valid = (read_half(network, half, "float32", {depth})[depth] for half in halves)
    keys = training_keys(run)
    if slow:
        return train_slowly(network, (training, valid), recipe, network.layers[: run.n], SLOWER, *keys)
    return train(network, (training, valid), recipe, "float32", *keys)


def scale_alone(source: Mapping[str, np.ndarray], run: Run) -> dict[str, np.ndarray]:
    """Weights with the mean and the variance of each of the source's tensors, and nothing else of them."""
    return {
        name: generator_from("scale alone", run.split, run.seed, run.target, name)
        .normal(array.mean(), array.std(), array.shape)
        .astype(np.float32)
        for name, array in source.items()
    }


def _top1(network: LayeredNet, valid: HalfData) -> float:
    examples = read_half(network, valid, "float32", {0})[0]
    return evaluate(network, examples, dict(network.named_parameters()))[0]
