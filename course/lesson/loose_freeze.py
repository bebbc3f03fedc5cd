"""What goes wrong when only parameters are frozen: batch normalisation still moves its statistics, and so the copy."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from transferkit.disk.prepared import Part
from transferkit.errors import TrainingError, UsageError
from transferkit.training.data import HalfData, open_half, place
from transferkit.training.examples import read_half
from transferkit.training.experiment import training_keys
from transferkit.training.loop import train
from transferkit.training.machine import threads
from transferkit.training.study import Study
from transferkit.training.surgery import Operated, audit, fingerprint, operate
from transferkit.treatments import Run


@dataclass(frozen=True)
class LooseFreeze:
    """A network whose copied layers kept their parameters but not their statistics.

    `top1` (0..1) is its accuracy on the target half, and `complaint` is the message of the freeze audit, empty if it
    passed. `moved` says, for each copied layer, how far its running means moved on average, in standard deviations of
    the source.
    """

    top1: float
    complaint: str
    moved: Mapping[str, float]


def freeze_loosely(study: Study, run: Run) -> LooseFreeze:
    """Train a frozen run as many people do, only with requires_grad off; the store keeps nothing of it.

    All else follows the study's setting, so that it differs from the kept run only in its statistics. Its source base
    must be finished. Raises UsageError for a run that freezes no copied layers and for a network without batch
    normalisation, and StoreError if the base is missing.
    """
    base = run.source_base
    if base is None or run.finetune:
        raise UsageError(f"{run.label} freezes no copied layers: give one that does, such as A3B.")
    source = study.store.weights(base, study.setting.of_source)
    train_half, valid_half = (_half(study, run, part) for part in ("train", "valid"))
    operated = operate(study.setting.net, train_half.n_classes, run, source)
    network, before = operated.network, fingerprint(operated.network)
    if not any(name.endswith("running_mean") for name in before):
        raise UsageError(f"{study.setting.net.name} has no batch normalisation: take a residual net.")
    network.frozen = frozenset()  # train() now reaches every layer; the parameters stay without gradients
    setting, precision = study.setting, study.setting.precision
    network.to(setting.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    augment = bool(setting.recipe.augment)
    with threads(setting.threads):
        training = read_half(network, train_half, precision, {0}, augment=augment)[0]
        validation = read_half(network, valid_half, precision, {0})[0]
        log = list(train(network, (training, validation), setting.recipe, precision, *training_keys(run)))
    return LooseFreeze(log[-1].top1, _complaint(operated, before, run), _moved(operated, source, run.n))


def _half(study: Study, run: Run, part: Part) -> HalfData:
    split, limit = study.prepared.split(run.split), study.setting.recipe.images_per_class
    half = open_half(study.prepared, split, run.target, part, images_per_class=limit)
    return place(half, study.setting.device)


def _complaint(operated: Operated, before: Mapping[str, bytes], run: Run) -> str:
    try:
        audit(operated, before, run.label)
    except TrainingError as problem:
        return str(problem)
    return ""


def _moved(operated: Operated, source: Mapping[str, np.ndarray], n: int) -> dict[str, float]:
    network = operated.network
    state = network.state_dict()
    shifts: dict[str, list[float]] = {layer: [] for layer in network.layers[:n]}
    for name in state:
        layer = network.layer_of(name)
        if layer in shifts and name.endswith("running_mean"):
            spread = np.sqrt(source[name.replace("running_mean", "running_var")])
            shifts[layer].append(float(np.mean(np.abs(state[name].cpu().numpy() - source[name]) / spread)))
    return {layer: float(np.mean(values)) for layer, values in shifts.items() if values}
