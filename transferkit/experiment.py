"""Runs from prepared data to receipts: build, train, audit, keep; together where they share work."""

import platform
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import torch

from transferkit import __version__
from transferkit.config import Device, Precision, Preset, Setting
from transferkit.data import HalfData, Prepared, load_half
from transferkit.errors import DataError, TrainingError, UsageError
from transferkit.hardware import processor_name
from transferkit.manifest import Part
from transferkit.mean_image import mean_image
from transferkit.nets import StagedSpec
from transferkit.network import LayeredNet
from transferkit.store import EpochLog, Receipt, Store, Times
from transferkit.surgery import Operated, audit, fingerprint, operate
from transferkit.training import Examples, read_half, train
from transferkit.treatments import Run


@dataclass(frozen=True)
class Study:
    """What all runs of a grid have in common: the data, the setting that is part of their identity, the store."""

    prepared: Prepared
    setting: Setting
    store: Store


def plan_study(prepared: Prepared, preset: Preset, device: str, store: Store, precision: str = "auto") -> Study:
    """The study of this data under this preset on a device: `auto`, `cpu` or `cuda`.

    `precision` is `float32`, `bfloat16` or `auto`, which takes what is fastest there. Raises UsageError for
    another device or precision, or `cuda` where there is none, and DataError when the images are not of the
    size that the network reads.
    """
    manifest, size = prepared.manifest, preset.net.image_size
    if manifest.image_size != size:
        raise DataError(
            f"{manifest.name} has images of {manifest.image_size} pixels, the preset {preset.name} reads {size}: "
            "prepare the data in that size or choose another preset."
        )
    kind = choose_device(device)
    chosen = choose_precision(precision, kind)
    setting = Setting(
        manifest.name, manifest.checksum(), preset.net, preset.recipe, device=kind, precision=chosen
    )  # fmt: skip
    return Study(prepared, setting, store)


def choose_device(wanted: str) -> Device:
    """`cpu` or `cuda`; `auto` takes CUDA where there is some. Raises UsageError when it cannot be had."""
    available = torch.cuda.is_available()
    if wanted not in ("auto", "cpu", "cuda"):
        raise UsageError(f"'{wanted}' is no device: choose auto, cpu or cuda.")
    if wanted == "cuda" and not available:
        raise UsageError("no CUDA device can be used here: choose --device cpu or auto, or mend the driver.")
    return "cuda" if wanted == "cuda" or (wanted == "auto" and available) else "cpu"


def choose_precision(wanted: str, device: Device) -> Precision:
    """`float32` or `bfloat16`; `auto` takes bfloat16 where the hardware multiplies it natively, twice as fast."""
    if wanted == "float32":
        return "float32"
    if wanted == "bfloat16":
        return "bfloat16"
    if wanted != "auto":
        raise UsageError(f"'{wanted}' is no precision: choose auto, float32 or bfloat16.")
    if device == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    return "bfloat16" if torch.cpu._is_avx512_bf16_supported() else "float32"


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
    receipt = study.store.find(run, study.setting)
    assert receipt is not None
    return receipt


def perform_group(study: Study, runs: Sequence[Run]) -> tuple[Failure, ...]:
    """Train those of a group of `groups_of` that have no receipt; keep each as it is done; return what failed.

    Waits for a network that another process is training.
    """
    todo = [run for run in runs if study.store.find(run, study.setting) is None]
    if not todo:
        return ()
    with threads(study.setting.threads):
        started = time.perf_counter()
        shared = _share(study, todo)
        seconds = (time.perf_counter() - started) / len(todo)
        failures = []
        for run in todo:
            try:
                with study.store.claim(run, study.setting):
                    if study.store.find(run, study.setting) is None:
                        _to_the_end(_perform(study, run, shared, seconds))
            except TrainingError as problem:
                failures.append(Failure(run, f"{run.label} ({run.split}, seed {run.seed}): {problem}"))
    return tuple(failures)


@dataclass(frozen=True)
class Glimpse:
    """A network in training: its log so far, empty before the first epoch, and conv1 now, float32 filters x 3 x k x k.

    `n_classes` is that of its half.
    """

    log: tuple[EpochLog, ...]
    conv1: np.ndarray
    n_classes: int


def watch(study: Study, run: Run) -> Generator[Glimpse, None, Receipt]:
    """Train one network as `perform` does, to the same bits, letting the caller look before it and after each epoch.

    Closed early, it keeps nothing. What the caller does in between counts for nothing in the receipt's seconds. A
    run that is done yields nothing. No lock is held, or whoever stops to look would keep others waiting: a network
    that another process trains at the same time is trained twice, to the same bits. Raises as `perform`.
    """
    if receipt := study.store.find(run, study.setting):
        return receipt
    with threads(study.setting.threads):
        started = time.perf_counter()
        shared = _share(study, (run,))
        try:
            return (yield from _perform(study, run, shared, time.perf_counter() - started))
        except TrainingError as problem:
            raise TrainingError(f"{run.label} ({run.split}, seed {run.seed}): {problem}") from problem


def _to_the_end(training: Generator[Glimpse, None, Receipt]) -> Receipt:
    while True:
        try:
            next(training)
        except StopIteration as end:
            receipt: Receipt = end.value
            return receipt


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
    source = _source(study, deepest)
    train, valid = (_half(study, deepest, part) for part in ("train", "valid"))
    mean = mean_image(train) if study.setting.net.pixels == "mean image" else None
    network = _operate(study, deepest, train.n_classes, source, mean).network
    depths = {0 if run.finetune else run.n for run in runs}
    precision = study.setting.precision
    return _Shared(
        runs=tuple(runs), source=source, mean=mean, n_classes=train.n_classes,
        train=read_half(network, train, precision, depths), valid=read_half(network, valid, precision, depths),
    )  # fmt: skip


def _source(study: Study, run: Run) -> dict[str, np.ndarray] | None:
    """The weights that a run copies: of its source base, or, for a base, those that the network starts from."""
    net = study.setting.net
    if run.source_base:
        return study.store.weights(run.source_base, study.setting.of_source)
    return study.store.given(net.start) if isinstance(net, StagedSpec) and net.start and not run.n else None


def _perform(study: Study, run: Run, shared: _Shared, seconds_shared: float) -> Generator[Glimpse, None, Receipt]:
    started, away = time.perf_counter(), 0.0
    operated = _operate(study, run, shared.n_classes, shared.source, shared.mean)
    before = fingerprint(operated.network)
    history = {0: _first_filters(operated.network)}
    log: list[EpochLog] = []
    away += yield from _look(log, history[0], shared.n_classes)
    for entry in _train(study, run, operated.network, shared):
        log.append(entry)
        history[entry.epoch] = _first_filters(operated.network)
        away += yield from _look(log, history[entry.epoch], shared.n_classes)
    audit(operated, before, run.label)
    seconds = time.perf_counter() - started - away + seconds_shared
    n_images = len(shared.train[operated.network.frozen_depth].labels)
    times = Times(
        datetime.now(UTC).isoformat(timespec="seconds"), seconds, n_images * len(log) / seconds,
        shared_with=tuple(other.label for other in shared.runs if other != run),
    )  # fmt: skip
    weights = {name: tensor.cpu().numpy() for name, tensor in operated.network.state_dict().items()}
    receipt = _receipt(study, run, operated, tuple(log), times)
    return study.store.keep(receipt, weights, history if run.source is None else None)


def _look(log: Sequence[EpochLog], conv1: np.ndarray, n_classes: int) -> Generator[Glimpse, None, float]:
    """Let the caller look; how many seconds it took."""
    began = time.perf_counter()
    yield Glimpse(tuple(log), conv1, n_classes)
    return time.perf_counter() - began


def _operate(
    study: Study, run: Run, n_classes: int, source: dict[str, np.ndarray] | None, mean: torch.Tensor | None
) -> Operated:
    operated = operate(study.setting.net, n_classes, run, source, study.setting.recipe.random_filters, mean)
    operated.network.to(study.setting.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return operated


def _first_filters(network: LayeredNet) -> np.ndarray:
    return network.get_parameter(network.spec.first_filters).detach().cpu().numpy().copy()


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


def _train(study: Study, run: Run, network: LayeredNet, shared: _Shared) -> Iterator[EpochLog]:
    role = "base" if run.source is None else "above the chop"
    keys = ("order", run.split, run.seed, run.target, role)
    depth = network.frozen_depth
    examples = (shared.train[depth], shared.valid[depth])
    study.store.beat(run, study.setting, 0)  # what a killed process had seen is lost
    for entry in train(network, examples, study.setting.recipe, study.setting.precision, *keys):
        yield entry
        study.store.beat(run, study.setting, entry.epoch * len(examples[0].labels))


def _half(study: Study, run: Run, part: Part) -> HalfData:
    split = study.prepared.split(run.split)
    half = load_half(study.prepared, split, run.target, part, images_per_class=study.setting.recipe.images_per_class)
    device = study.setting.device
    return HalfData(half.images.to(device), half.labels.to(device), half.n_classes)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """As many threads as the setting names, since sums depend on it; what the caller had, afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def versions() -> dict[str, str]:
    """The versions that a receipt records."""
    return {
        "transferkit": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }


def device_name(device: Device) -> str:
    """What the computing device calls itself, for receipts and reports."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    return processor_name()
