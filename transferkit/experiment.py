"""One run from prepared data to receipt: build, train, audit, keep."""

import platform
import time
from collections.abc import Iterator
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
from transferkit.network import EightLayerNet
from transferkit.store import EpochLog, Receipt, Store, Times
from transferkit.surgery import Operated, audit, fingerprint, operate
from transferkit.training import train
from transferkit.treatments import Run


@dataclass(frozen=True)
class Study:
    """What all runs of a grid have in common: the data, the setting that is part of their identity, the store."""

    prepared: Prepared
    setting: Setting
    store: Store


def plan_study(prepared: Prepared, preset: Preset, device: str, store: Store) -> Study:
    """The study of this data under this preset on a device: `auto`, `cpu` or `cuda`.

    Raises UsageError for another device, or `cuda` where there is none, and DataError when the images are not
    of the size that the network reads.
    """
    manifest, size = prepared.manifest, preset.net.image_size
    if manifest.image_size != size:
        raise DataError(
            f"{manifest.name} has images of {manifest.image_size} pixels, the preset {preset.name} reads {size}: "
            "prepare the data in that size or choose another preset."
        )
    kind = choose_device(device)
    setting = Setting(
        manifest.name, manifest.checksum(), preset.net, preset.recipe, device=kind, precision=best_precision(kind)
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


def best_precision(device: Device) -> Precision:
    """bfloat16 where the hardware multiplies it natively, which is about twice as fast; else float32."""
    if device == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    return "bfloat16" if torch.cpu._is_avx512_bf16_supported() else "float32"


def perform(study: Study, run: Run) -> Receipt:
    """Train one network and keep its weights and receipt; if it is kept already, only return the receipt.

    A base that it copies from must be finished. Everything random is keyed by the run, so the same call on the
    same machine gives the same bits. When another process is training this network, waits for it. Raises
    TrainingError naming the network when training fails.
    """
    with study.store.claim(run, study.setting):
        return study.store.find(run, study.setting) or _train_and_keep(study, run)


def _train_and_keep(study: Study, run: Run) -> Receipt:
    started = time.perf_counter()
    data = (_half(study, run, "train"), _half(study, run, "valid"))
    source = study.store.weights(run.source_base, study.setting) if run.source_base else None
    operated = operate(study.setting.net, data[0].n_classes, run, source)
    operated.network.to(study.setting.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    before = fingerprint(operated.network)
    history = {0: _conv1(operated.network)}
    log = []
    try:
        with _threads(study.setting.threads):
            for entry in _train(study, run, operated.network, data):
                log.append(entry)
                history[entry.epoch] = _conv1(operated.network)
    except TrainingError as problem:
        raise TrainingError(f"{run.label} ({run.split}, seed {run.seed}): {problem}") from problem
    audit(operated, before, run.label)
    seconds = time.perf_counter() - started
    times = Times(datetime.now(UTC).isoformat(timespec="seconds"), seconds, len(data[0].labels) * len(log) / seconds)
    weights = {name: tensor.cpu().numpy() for name, tensor in operated.network.state_dict().items()}
    receipt = _receipt(study, run, operated, tuple(log), times)
    return study.store.keep(receipt, weights, history if run.source is None else None)


def _conv1(network: EightLayerNet) -> np.ndarray:
    return network.get_parameter("conv1.weight").detach().cpu().numpy().copy()


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


def _train(study: Study, run: Run, network: EightLayerNet, data: tuple[HalfData, HalfData]) -> Iterator[EpochLog]:
    role = "base" if run.source is None else "above the chop"
    keys = ("order", run.split, run.seed, run.target, role)
    for entry in train(network, data, study.setting.recipe, study.setting.precision, *keys):
        yield entry
        study.store.beat(run, study.setting, entry.epoch * len(data[0].labels))


def _half(study: Study, run: Run, part: Part) -> HalfData:
    split = study.prepared.split(run.split)
    half = load_half(study.prepared, split, run.target, part, images_per_class=study.setting.recipe.images_per_class)
    device = study.setting.device
    return HalfData(half.images.to(device), half.labels.to(device), half.n_classes)


@contextmanager
def _threads(count: int) -> Iterator[None]:
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
