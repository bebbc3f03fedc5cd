"""The measures of every layer of two bases, with their selffer control: one row for each target half and n."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from course.lesson.cka import cka_table
from course.measures import scores
from course.measures.features import Seen, as_units, see, stitched_top1, target_images, top1
from course.measures.names import KEYS, MEASURES, SELFFER
from transferkit.network import LayeredNet
from transferkit.session import load_network
from transferkit.training.study import Study
from transferkit.treatments import HALVES, Run

KERNEL = 1000  # images from which CKA is estimated


def measure(
    study: Study, split: str, seed: int, points: Collection[int], wanted: Collection[str] = tuple(MEASURES)
) -> pd.DataFrame:
    """The `wanted` measures of both bases of a split and seed on both targets' images, a row for each target and n.

    Columns: KEYS; `top1` of the target's base; each measure of the source's layer n on the target's images, and with
    the ending SELFFER the same of the target base's own layer n. Raises StoreError when a base is not trained.
    """
    bases = {half: load_network(study, Run(split, seed, half)) for half in HALVES}
    rows: list[dict[str, object]] = []
    for target in HALVES:
        images = target_images(study, split, target)
        labels, truth = (half.labels.numpy() for half in images)
        seen = {half: see(base, images, study.setting.device) for half, base in bases.items()}
        pair = _Pair(seen["B" if target == "A" else "A"], seen[target], bases[target], labels, truth)
        cell = (study.setting.data, study.setting.recipe.epochs, split, seed, target)
        rows += [dict(zip(KEYS, (*cell, n), strict=True)) | _of_pair(pair, n, wanted) for n in sorted(points)]
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class _Pair:
    """What both bases compute from a target's images, the target's base, and the labels of these images."""

    source: Seen
    own: Seen
    base: LayeredNet
    labels: scores.Labels
    truth: scores.Labels  # of the validation images


def _of_pair(pair: _Pair, n: int, wanted: Collection[str]) -> dict[str, object]:
    """The columns of a row after its KEYS."""
    base_top1 = top1(pair.own.valid[max(pair.own.valid)], pair.truth)
    row: dict[str, object] = {"top1": base_top1}
    for end, seen in (("", pair.source), (SELFFER, pair.own)):
        row |= {f"{name}{end}": value for name, value in _of_layer(seen, n, pair, wanted).items()}
    if "cka" in wanted:
        row |= {"cka": _alike(pair.source, pair.own, n), f"cka{SELFFER}": 1.0}
    if "stitch" in wanted:
        stitched = stitched_top1(pair.source, pair.own, pair.base, n, pair.truth)
        row |= {"stitch": stitched, f"stitch{SELFFER}": base_top1}
    return row


def _of_layer(seen: Seen, n: int, pair: _Pair, wanted: Collection[str]) -> dict[str, float]:
    """The measures that look at one base alone."""
    features, asked = as_units(seen.train[n]), as_units(seen.valid[n])
    ways: dict[str, Callable[[], float]] = {
        "logistic": lambda: scores.logistic_probe(features, pair.labels, asked, pair.truth),
        "ridge": lambda: scores.ridge_probe(features, pair.labels, asked, pair.truth),
        "logme": lambda: scores.log_me(features, pair.labels),
        "hscore": lambda: scores.h_score(features, pair.labels),
        "nleep": lambda: scores.n_leep(features, pair.labels),
        "leep": lambda: scores.leep(_shares(seen), pair.labels),
    }
    return {name: way() for name, way in ways.items() if name in wanted}


def _shares(seen: Seen) -> NDArray[np.float32]:
    """The probabilities that a base gives to its own classes, training images x classes."""
    return torch.softmax(seen.train[max(seen.train)], dim=1).numpy()


def _alike(source: Seen, own: Seen, n: int) -> float:
    """CKA of both bases' layer n on training images, spread evenly."""
    one, other = (as_units(seen.train[n]) for seen in (source, own))
    rows = np.linspace(0, len(one) - 1, min(len(one), KERNEL)).round().astype(int)
    return float(cka_table({"source": one[rows]}, {"own": other[rows]}).to_numpy()[0, 0])
