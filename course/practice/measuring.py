"""From pictures and given weights to answers: features once per source, heads for every n, networks as minutes allow.

Everything is kept as soon as it is there, so that a run that was killed goes on where it stopped.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from course.practice.bench import Bench
from course.practice.features import (
    BATCH,
    Draw,
    Features,
    Origin,
    compute_features,
    drawn_network,
    given_network,
    kept_features,
    to_network,
    untrained_network,
)  # fmt: skip
from course.practice.folds import packed
from course.practice.heads import answer
from course.practice.networks import SCRATCH, Job
from course.practice.options import Answers, Kind, Option, heads_of
from course.practice.telling import Told
from transferkit.disk import atomic
from transferkit.network import LayeredNet, build

TELL_SECONDS = 10  # how often a pass over the pictures says how far it is
COLUMNS = ("option", "kind", "origin", "n", "layer", "epochs", "seed", "fold", "pictures", "accuracy", "strength")


@dataclass(frozen=True)
class Row:
    """An option in one fold: which pictures it named rightly, and how."""

    option: Option
    seed: int
    fold: int
    right: NDArray[np.bool_]
    epochs: int = 0
    strength: float = float("nan")


def measure_heads(bench: Bench, origins: Sequence[Origin], told: Told) -> list[Row]:
    """Heads of P, R or V for every n and fold: features of all n are computed in one pass over all pictures.

    Weights of R and V are drawn, so each fold has a draw of its own: one draw may be lucky.
    """
    rows = []
    for seed in bench.seeds:
        for origin in origins:
            for fold in range(bench.folds):
                path = bench.folder / f"features-{origin}{'' if origin == 'P' else f'-seed{seed}-fold{fold + 1}'}.npz"
                features = kept_features(path, partial(_features, bench, origin, (seed, fold), told))
                rows += _heads_of_fold(bench, origin, features, seed, fold)
            told(f"heads on {origin}, seed {seed}: {bench.folds} folds")
    return rows


def measure_networks(bench: Bench, jobs: Sequence[Job], told: Told) -> list[Row]:
    """Of trained networks, which pictures of their fold they name rightly; and the heads of those from scratch (T)."""
    rows = []
    longest = max((job.epochs for job in jobs if job.run.label == SCRATCH), default=0)
    for job in jobs:
        rows.append(_network(bench, job))
        if job.run.label == SCRATCH and job.epochs == longest:
            path = bench.folder / f"features-T-epochs{job.epochs}-seed{job.run.seed}-fold{job.fold + 1}.npz"
            features = kept_features(path, partial(_of_trained, bench, job, told))
            rows += _heads_of_fold(bench, "T", features, job.run.seed, job.fold, job.epochs)
    return rows


def trained_network(job: Job, n_classes: int) -> LayeredNet:
    """The trained network of a job."""
    network = build(job.study.setting.net, n_classes)
    weights = job.study.store.weights(job.run, job.study.setting)
    network.load_state_dict({name: torch.from_numpy(it) for name, it in weights.items()})
    return network


def table_of(rows: Iterable[Row]) -> pd.DataFrame:
    """One row per option, seed and fold, with COLUMNS; folds count from 1, accuracy is a fraction."""
    found = [
        (
            row.option.label, row.option.kind, row.option.origin, row.option.n, row.option.layer, row.epochs, row.seed,
            row.fold + 1, len(row.right), row.right.mean(), row.strength,
        )
        for row in rows
    ]  # fmt: skip
    return pd.DataFrame(found, columns=list(COLUMNS))


def answers_of(bench: Bench, rows: Sequence[Row], trained_folds: int) -> Answers:
    """Which pictures each option names rightly, as a mean over seeds; of networks from scratch, the longest trained."""
    longest = max((row.epochs for row in rows if row.option.kind == "scratch"), default=0)
    chosen = [row for row in rows if row.option.kind != "scratch" or row.epochs == longest]
    options = tuple(dict.fromkeys(row.option for row in chosen))
    correct = np.full((len(options), len(bench.seeds), len(bench.pictures.labels)), np.nan)
    for row in chosen:
        seed = bench.seeds.index(row.seed)
        correct[options.index(row.option), seed, bench.fold_of[row.seed] == row.fold] = row.right
    # Of several seeds, each divides the pictures otherwise: a picture counts where some seed asked about it.
    asked = np.isfinite(correct)
    with np.errstate(invalid="ignore"):
        means = np.where(asked, correct, 0).sum(1) / asked.sum(1)
    return Answers(options, means, bench.pictures.copies, len(bench.net.layers), bench.folds, trained_folds)


def _features(bench: Bench, origin: Origin, draw: Draw, told: Told) -> Features:
    if origin == "P":
        network = given_network(bench.net, bench.n_classes, bench.weights)
    elif origin == "V":
        images, device = bench.pictures.images, bench.device
        network = drawn_network(bench.net, bench.n_classes, bench.weights, draw, images, device)
    else:
        network = untrained_network(bench.net, bench.n_classes, draw)
    return _of_pictures(bench, network, told)


def _of_trained(bench: Bench, job: Job, told: Told) -> Features:
    return _of_pictures(bench, trained_network(job, bench.n_classes), told)


def _of_pictures(bench: Bench, network: LayeredNet, told: Told) -> Features:
    last = time.monotonic()

    def tell(done: int, of: int) -> None:
        nonlocal last
        if time.monotonic() - last > TELL_SECONDS:
            last = time.monotonic()
            told(f"features of {done} of {of} pictures")

    return compute_features(network, bench.pictures.images, bench.device, tell)


def _heads_of_fold(
    bench: Bench, origin: Origin, features: Features, seed: int, fold: int, epochs: int = 0
) -> list[Row]:
    options = heads_of(origin, bench.net.layers)
    path = bench.folder / f"heads-{origin}-epochs{epochs}-seed{seed}-fold{fold + 1}.npz"
    if not path.is_file():
        fold_of, labels = bench.fold_of[seed], bench.pictures.labels
        train, valid = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        found = [answer(of_layer, labels, bench.pictures.copies, train, valid) for of_layer in features]
        right = np.array([told == labels[valid] for told, _ in found])
        strength = np.array([strength for _, strength in found])
        atomic.write_bytes(path, packed({"right": right, "strength": strength}))
    with np.load(path) as kept:
        both = zip(options, kept["right"], kept["strength"].tolist(), strict=True)
        return [Row(option, seed, fold, right, epochs, strength) for option, right, strength in both]


def _network(bench: Bench, job: Job) -> Row:
    run, epochs = job.run, job.epochs
    kind: Kind = "scratch" if run.source is None else "fine-tuned"
    layer = "" if run.source is None else bench.net.layers[run.n - 1]
    option = Option(run.label, kind, run.source or "", run.n, layer)
    path = bench.folder / f"network-{run.label}-epochs{epochs}-seed{run.seed}-fold{job.fold + 1}.npz"
    if not path.is_file():
        rows = np.flatnonzero(bench.fold_of[run.seed] == job.fold)
        network = trained_network(job, bench.n_classes).to(bench.device).eval()
        parts = np.array_split(rows, -(-len(rows) // BATCH))
        with torch.inference_mode():
            inputs = (to_network(network, bench.pictures.images[part], bench.device) for part in parts)
            told = torch.cat([network(each).argmax(1).cpu() for each in inputs]).numpy()
        right = told == bench.pictures.labels[rows]
        atomic.write_bytes(path, packed({"right": right}))
    with np.load(path) as kept:
        return Row(option, run.seed, job.fold, kept["right"], epochs)
