"""Runs from prepared data to receipts: build, train, audit, keep; together where they share work."""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import torch

from transferkit.checkpoints import EpochLog
from transferkit.conduct import USUAL, Conduct, Glimpse, carry_through
from transferkit.config import Preset, Setting
from transferkit.data import HalfData, Prepared, open_half, place
from transferkit.errors import DataError, TrainingError
from transferkit.examples import Examples, read_half
from transferkit.machine import choose_device, choose_precision, device_name, same_bits, threads, versions
from transferkit.manifest import Part
from transferkit.mean_image import mean_image
from transferkit.nets import StagedSpec
from transferkit.store import Receipt, Store, Times
from transferkit.surgery import Operated, audit, fingerprint, operate
from transferkit.treatments import Run


@dataclass(frozen=True)
class Study:
    """What all runs of a grid have in common: the data, the setting that is part of their identity, the store.

    `conduct` says under what circumstances they are trained, and is no part of what they are.
    """

    prepared: Prepared
    setting: Setting
    store: Store
    conduct: Conduct = USUAL


def plan_study(prepared: Prepared, preset: Preset, device: str, store: Store, precision: str = "auto") -> Study:
    """The study of this data under this preset on a device: `auto`, `cpu` or `cuda`.

    `precision` is `float32`, `bfloat16` or `auto`, which takes what is fastest there. Raises UsageError for
    another device or precision, or `cuda` where there is none, and DataError when the images are smaller than what
    the network reads, or larger where the recipe takes no crops of them.
    """
    manifest, size = prepared.manifest, preset.net.image_size
    crops = "crop" in (preset.recipe.augment or "")
    if manifest.image_size < size or (manifest.image_size > size and not crops):
        raise DataError(
            f"{manifest.name} has images of {manifest.image_size} pixels, the preset {preset.name} reads {size}: "
            f"prepare the data in that size{' or a larger one' if crops else ''} or choose another preset."
        )
    kind = choose_device(device)
    chosen = choose_precision(precision, kind)
    setting = Setting(
        manifest.name, manifest.checksum(), preset.net, preset.recipe, device=kind, precision=chosen
    )  # fmt: skip
    return Study(prepared, setting, store)


@dataclass(frozen=True)
class Failure:
    """A run that could not be trained, and why, in a sentence that names it."""

    run: Run
    reason: str


def perform(study: Study, run: Run) -> Receipt:
    """Train one network and keep its weights and receipt; if it is kept already, only return the receipt.

    A base that it copies from must be finished. Everything random is keyed by the run, so the same call on the
    same machine gives the same bits. When another process is training this network, waits for it. Raises
    TrainingError naming the network when training fails.
    """
    for failure in perform_group(study, (run,)):
        raise TrainingError(failure.reason)
    receipt = study.conduct.ranks.told(lambda: study.store.find(run, study.setting))
    assert receipt is not None
    return receipt


def perform_group(study: Study, runs: Sequence[Run]) -> tuple[Failure, ...]:
    """Train those of a group of `groups_of` that have no receipt; keep each as it is done; return what failed.

    Waits for a network that another process is training. Where several processes train together, each calls this.
    """
    told, store, setting = study.conduct.ranks.told, study.store, study.setting
    todo = told(lambda: [run for run in runs if store.find(run, setting) is None])
    if not todo:
        return ()
    with _circumstances(study):
        started = time.perf_counter()
        shared = _share(study, todo)
        seconds = (time.perf_counter() - started) / len(todo)
        failures = []
        for run in todo:
            try:
                with _claim(study, run):
                    if told(lambda run=run: store.find(run, setting) is None):  # type: ignore[misc]
                        _to_the_end(_perform(study, run, shared, seconds))
            except TrainingError as problem:
                failures.append(Failure(run, f"{run.label} ({run.split}, seed {run.seed}): {problem}"))
    return tuple(failures)


def _claim(study: Study, run: Run) -> AbstractContextManager[bool]:
    return study.store.claim(run, study.setting) if study.conduct.ranks.leads else nullcontext(True)


@contextmanager
def _circumstances(study: Study) -> Iterator[None]:
    with threads(study.setting.threads), same_bits(study.conduct.deterministic), _memory_told():
        yield


@contextmanager
def _memory_told() -> Iterator[None]:
    """Turn a GPU whose memory is full before any step is taken into a sentence; steps tell more themselves."""
    try:
        yield
    except torch.OutOfMemoryError as problem:
        raise TrainingError(
            f"the memory of the GPU is full ({str(problem).splitlines()[0]}): end what else uses it, or choose a "
            "smaller network or smaller images."
        ) from None


def watch(study: Study, run: Run) -> Generator[Glimpse, None, Receipt]:
    """Train one network as `perform` does, to the same bits, letting the caller look before it and after each epoch.

    Closed early, it keeps no more than a checkpoint, from which it goes on the next time. What the caller does in
    between counts for nothing in the receipt's seconds. A run that is done yields nothing. No lock is held, or whoever
    stops to look would keep others waiting: a network that another process trains at the same time is trained twice,
    to the same bits. Raises as `perform`.
    """
    if receipt := study.store.find(run, study.setting):
        return receipt
    with _circumstances(study):
        started = time.perf_counter()
        shared = _share(study, (run,))
        try:
            yield from _perform(study, run, shared, time.perf_counter() - started)
        except TrainingError as problem:
            raise TrainingError(f"{run.label} ({run.split}, seed {run.seed}): {problem}") from problem
    kept = study.store.find(run, study.setting)
    assert kept is not None
    return kept


def _to_the_end(training: Iterator[Glimpse]) -> None:
    for _ in training:
        continue


@dataclass(frozen=True)
class _Shared:
    """What the runs of a group have in common: the weights they copy, and what they read, by frozen depth."""

    runs: tuple[Run, ...]
    source: dict[str, np.ndarray] | None
    mean: torch.Tensor | None
    n_classes: int
    train: dict[int, Examples]
    valid: dict[int, Examples]


def _share(study: Study, runs: Sequence[Run]) -> _Shared:
    deepest = max(runs, key=lambda run: run.n)
    source = study.conduct.ranks.told(lambda: _source(study, deepest))
    train, valid = (_half(study, deepest, part) for part in ("train", "valid"))
    mean = mean_image(train) if study.setting.net.pixels == "mean image" else None
    network = _operate(study, deepest, train.n_classes, source, mean).network
    depths = {0 if run.finetune else run.n for run in runs}
    precision, augment = study.setting.precision, bool(study.setting.recipe.augment)
    return _Shared(
        runs=tuple(runs), source=source, mean=mean, n_classes=train.n_classes,
        train=read_half(network, train, precision, depths, augment=augment),
        valid=read_half(network, valid, precision, depths),
    )  # fmt: skip


def _source(study: Study, run: Run) -> dict[str, np.ndarray] | None:
    """The weights that a run copies: of its source base, or, for a base, those that the network starts from."""
    net = study.setting.net
    if run.source_base:
        return study.store.weights(run.source_base, study.setting.of_source)
    return study.store.given(net.start) if isinstance(net, StagedSpec) and net.start and not run.n else None


def _perform(study: Study, run: Run, shared: _Shared, seconds_shared: float) -> Iterator[Glimpse]:
    operated = _operate(study, run, shared.n_classes, shared.source, shared.mean)
    before = fingerprint(operated.network)
    depth = operated.network.frozen_depth
    examples = (shared.train[depth], shared.valid[depth])
    trained = yield from carry_through(study.store, run, study.setting, operated.network, examples, study.conduct)
    audit(operated, before, run.label)
    if not study.conduct.ranks.leads:
        return
    seconds = trained.seconds + seconds_shared
    times = Times(
        datetime.now(UTC).isoformat(timespec="seconds"), seconds,
        len(examples[0].labels) * len(trained.log) / seconds,
        shared_with=tuple(other.label for other in shared.runs if other != run), processes=study.conduct.ranks.count,
        graphs=study.conduct.graphs, deterministic=study.conduct.deterministic,
    )  # fmt: skip
    weights = {name: tensor.cpu().numpy() for name, tensor in operated.network.state_dict().items()}
    receipt = _receipt(study, run, operated, trained.log, times)
    study.store.keep(receipt, weights, trained.history if run.source is None else None)


def _operate(
    study: Study, run: Run, n_classes: int, source: dict[str, np.ndarray] | None, mean: torch.Tensor | None
) -> Operated:
    operated = operate(study.setting.net, n_classes, run, source, study.setting.recipe.random_filters, mean)
    operated.network.to(study.setting.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return operated


def _receipt(study: Study, run: Run, operated: Operated, log: tuple[EpochLog, ...], times: Times) -> Receipt:
    return Receipt(
        run=run,
        setting=study.setting,
        log=log,
        account={entry.name: str(entry) for entry in operated.account},
        checksums={},  # the store adds them
        versions=versions(),
        device_name=device_name(study.setting.device),
        times=times,
    )


def _half(study: Study, run: Run, part: Part) -> HalfData:
    split = study.prepared.split(run.split)
    half = open_half(study.prepared, split, run.target, part, images_per_class=study.setting.recipe.images_per_class)
    return place(half, study.setting.device)
