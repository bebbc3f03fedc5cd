"""Chop a base network at n: copy the first n layers, re-initialise the others, freeze or fine-tune the copy (Figure 1).

Every parameter and buffer is accounted for exactly once. After the training, the freeze audit proves bit for bit that
what was frozen did not move, and that what was to be trained did.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from transferkit.config import RandomFilters
from transferkit.errors import StoreError, TrainingError
from transferkit.network import MEAN_IMAGE, LayeredNet, build
from transferkit.network.foreign_file import some
from transferkit.randomness import Key
from transferkit.specs import Net, StagedSpec, with_published_init
from transferkit.treatments import MADE, Run, refuse_too_deep

Origin = Literal["copied", "made", "re-initialised", "random", "given", "measured"]
Fate = Literal["frozen", "trained"]
Weights = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class TensorAccount:
    """One parameter or buffer: where its first value came from, and whether training may change it."""

    name: str
    origin: Origin
    fate: Fate

    def __str__(self) -> str:
        return f"{self.origin}, {self.fate}"


@dataclass(frozen=True)
class Operated:
    """A network ready to be trained, and the account of all its tensors, in the state dict's order."""

    network: LayeredNet
    account: tuple[TensorAccount, ...]


def operate(
    spec: Net, n_classes: int, run: Run, source_weights: Weights | None = None, random_filters: RandomFilters = "he",
    mean_image: torch.Tensor | None = None,
) -> Operated:  # fmt: skip
    """Build the network of a run from the weights of its source base (needed for copies only).

    The layers above n start from the same random weights in every treatment of one split, seed and target half. The
    base starts from others, so that nothing hints at what it found. Random filters are drawn after He et al. 2015, so
    that a signal of full size passes through them. "published" draws them as the paper did, from a Gaussian so small
    that it starves the layers above: those networks never left the plateau.

    For a run that exchanges the filters of conv1, `source_weights` are those of `made_layers.with_made_filters`; for
    source P, and for a base whose spec names weights to start from, they are the given ones, whose last layer may be
    missing. `mean_image`, float32 3 x H x W in 0..255, is that of the target half's training images, for a network
    that subtracts one. A copied conv1 keeps the mean image it was trained with: with another one, the frozen layer
    would compute another function than its source. Raises StoreError for weights that are missing or belong to another
    network.
    """
    refuse_too_deep(run, spec.layers)
    network = build(spec, n_classes)
    role = "base" if run.source is None else "above the chop"
    network.initialise(lambda layer: _stream(run, role, layer))
    below = spec.layers[: run.n]
    if spec.pixels == "mean image":
        _set_mean(network, run, source_weights, mean_image)
    if run.source == "R":
        untrained = build(with_published_init(spec) if random_filters == "published" else spec, n_classes)
        untrained.initialise(lambda layer: _stream(run, "random filters", layer), he=random_filters == "he")
        _copy({name: it for name, it in untrained.state_dict().items() if name != MEAN_IMAGE}, network, below)
    elif copied := below or _started(spec):
        _copy(_given(run, source_weights), network, copied)
    network.freeze(() if run.finetune else below)
    return Operated(network, tuple(_account(network, name, run) for name in network.state_dict()))


def _started(spec: Net) -> tuple[str, ...]:
    """The layers that a base takes from given weights: all but the last, which was made for other classes."""
    return spec.layers[:-1] if isinstance(spec, StagedSpec) and spec.start else ()


def _given(run: Run, weights: Weights | None) -> dict[str, torch.Tensor]:
    if weights is None:
        whose = f"copies from {run.source}, whose weights are missing: train that base first."
        if run.source in (None, "P"):
            does, option = ("copies", "given") if run.source else ("starts from", "start")
            whose = f"{does} given weights, which are missing: name their file with --{option}."
        raise StoreError(f"{run.label} {whose}")
    return {name: torch.from_numpy(array) for name, array in weights.items()}


def _set_mean(network: LayeredNet, run: Run, source: Weights | None, own: torch.Tensor | None) -> None:
    mean = torch.from_numpy(source[MEAN_IMAGE]) if source is not None and run.source else own
    if mean is None:
        raise StoreError(f"{run.label} subtracts the mean image of half {run.target}, which was not given.")
    network.register_buffer(MEAN_IMAGE, mean.clone())


def _stream(run: Run, role: str, layer: str) -> tuple[Key, ...]:
    return ("weights", run.split, run.seed, run.target, role, layer)


def _copy(source: Mapping[str, torch.Tensor], network: LayeredNet, layers: tuple[str, ...]) -> None:
    """Copy all tensors of these layers. Raises StoreError when one is missing, left over or has another shape."""
    own = network.state_dict()
    wanted = {name for name in own if network.layer_of(name) in layers and name != MEAN_IMAGE}
    given = {name for name in source if name not in own or network.layer_of(name) in layers} - {MEAN_IMAGE}
    if wanted != given:
        raise StoreError(
            f"the source's layers hold {some(sorted(given - wanted)) or 'nothing else'} and lack "
            f"{some(sorted(wanted - given)) or 'nothing else'}: it is of another network."
        )
    for name in sorted(wanted):
        if own[name].shape != source[name].shape:
            raise StoreError(
                f"{name} is {tuple(source[name].shape)} in the source and {tuple(own[name].shape)} in the target: "
                "copy only between networks of one spec."
            )
        own[name].copy_(source[name])


def _account(network: LayeredNet, name: str, run: Run) -> TensorAccount:
    layer, layers = network.layer_of(name), network.layers
    copied = layer in layers[: run.n]
    origin: Origin = "given" if run.source == "P" else "copied"
    if name == MEAN_IMAGE:
        return TensorAccount(name, "measured" if run.source in (None, "R") else origin, "frozen")
    origin = "re-initialised" if not copied else "random" if run.source == "R" else origin
    if run.source is None and layer in _started(network.spec):
        origin = "given"
    if run.source in MADE and name == network.spec.first_filters:
        origin = "made"
    return TensorAccount(name, origin, "frozen" if copied and not run.finetune else "trained")


def fingerprint(network: torch.nn.Module) -> dict[str, bytes]:
    """The bytes of every parameter and buffer by name, which the audit compares."""
    return {name: tensor.detach().cpu().numpy().tobytes() for name, tensor in network.state_dict().items()}


def moved(network: torch.nn.Module, before: Mapping[str, bytes]) -> tuple[str, ...]:
    """The names of all parameters and buffers that differ by at least one bit from the fingerprint `before`."""
    return tuple(name for name, content in fingerprint(network).items() if content != before.get(name))


def subtracted(names: Collection[str], changed: Collection[str]) -> set[str]:
    """The biases beside changed weights in networks with BatchNorm, which subtracts a shift: they need not move."""
    biases = {name for name in names if name.endswith(".bias") and name.removesuffix("bias") + "weight" in changed}
    return biases if any(name.endswith("running_mean") for name in names) else set()


def audit(operated: Operated, before: Mapping[str, bytes], name: str) -> None:
    """Prove that training kept to the account. `before` is the fingerprint taken before it, `name` that of the run.

    Raises TrainingError naming each frozen tensor that moved by even one bit, each trained one that never moved (but
    `subtracted` ones), and each tensor that the account does not list exactly once.
    """
    after, changed = operated.network.state_dict(), moved(operated.network, before)
    excused = subtracted(after, changed)
    listed = [entry.name for entry in operated.account]
    faults = [f"{tensor} is not accounted for exactly once" for tensor in after if listed.count(tensor) != 1]
    for entry in operated.account:
        if entry.name in changed and entry.fate == "frozen":
            faults.append(f"{entry.name} is frozen but moved")
        if entry.name not in {*changed, *excused} and entry.fate == "trained":
            faults.append(f"{entry.name} is trained but never moved")
    if faults:
        raise TrainingError(f"the freeze audit of {name} failed: {'; '.join(faults)}. Nothing was kept.")
