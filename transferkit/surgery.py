"""Chop a base network at n: copy the first n layers, re-initialise the others, freeze or fine-tune the copy.

Every parameter and buffer is accounted for exactly once, and the freeze audit proves bit for bit, after
training, that what was frozen did not move and what was to be trained did (Figure 1 of the paper).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from transferkit.config import NetSpec, RandomFilters, with_published_init
from transferkit.errors import StoreError, TrainingError
from transferkit.network import EightLayerNet, initialise, layer_of
from transferkit.streams import Key
from transferkit.treatments import LAYERS, Run

Origin = Literal["copied", "re-initialised", "random"]
Fate = Literal["frozen", "trained"]
Weights = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class TensorAccount:
    """One parameter or buffer: where its first value came from, and whether training may move it."""

    name: str
    origin: Origin
    fate: Fate

    def __str__(self) -> str:
        return f"{self.origin}, {self.fate}"


@dataclass(frozen=True)
class Operated:
    """A network ready to be trained, and the account of all its tensors, in the state dict's order."""

    network: EightLayerNet
    account: tuple[TensorAccount, ...]


def operate(
    spec: NetSpec,
    n_classes: int,
    run: Run,
    source_weights: Weights | None = None,
    random_filters: RandomFilters = "he",
) -> Operated:
    """Build the network of a run from the weights of its source base (needed for copies only).

    The layers above n start from the same random weights in every treatment of one split, seed and target
    half, and from others than the base's, so that nothing hints at what the base found. Random filters are
    drawn after He et al. 2015, so that a signal of full size passes through them; "published" draws them as the
    paper did, whose small Gaussian starves the layers above: those networks never left the plateau.
    """
    network = EightLayerNet(spec, n_classes)
    role = "base" if run.source is None else "above the chop"
    initialise(network, lambda layer: _stream(run, role, layer))
    below = LAYERS[: run.n]
    if run.source == "R":
        he = random_filters == "he"
        untrained = EightLayerNet(spec if he else with_published_init(spec), n_classes)
        initialise(untrained, lambda layer: _stream(run, "random filters", layer), he=he)
        _copy(dict(untrained.state_dict()), network, below)
    elif run.source is not None:
        if source_weights is None:
            raise StoreError(f"{run.label} copies from {run.source}, whose weights are missing: train that base first.")
        _copy({name: torch.from_numpy(array) for name, array in source_weights.items()}, network, below)
    network.freeze(() if run.finetune else below)
    return Operated(network, tuple(_account(name, run) for name in network.state_dict()))


def _stream(run: Run, role: str, layer: str) -> tuple[Key, ...]:
    return ("weights", run.split, run.seed, run.target, role, layer)


def _copy(source: Mapping[str, torch.Tensor], network: EightLayerNet, layers: tuple[str, ...]) -> None:
    """Copy all tensors of these layers. Raises StoreError when one is missing, left over or of another shape."""
    own = network.state_dict()
    wanted = {name for name in own if layer_of(name) in layers}
    given = {name for name in source if layer_of(name) in layers}
    if wanted != given:
        raise StoreError(f"the source's layers hold {sorted(given)}, not {sorted(wanted)}: it is of another network.")
    for name in sorted(wanted):
        if own[name].shape != source[name].shape:
            raise StoreError(
                f"{name} is {tuple(source[name].shape)} in the source and {tuple(own[name].shape)} in the target: "
                "copy only between networks of one spec."
            )
        own[name].copy_(source[name])


def _account(name: str, run: Run) -> TensorAccount:
    copied = layer_of(name) in LAYERS[: run.n]
    origin: Origin = "re-initialised" if not copied else "random" if run.source == "R" else "copied"
    return TensorAccount(name, origin, "frozen" if copied and not run.finetune else "trained")


def fingerprint(network: torch.nn.Module) -> dict[str, bytes]:
    """The bytes of every parameter and buffer by name: what the audit compares."""
    return {name: tensor.detach().cpu().numpy().tobytes() for name, tensor in network.state_dict().items()}


def moved(network: torch.nn.Module, before: Mapping[str, bytes]) -> tuple[str, ...]:
    """The names of all parameters and buffers that are no longer, bit for bit, as in the fingerprint `before`."""
    return tuple(name for name, content in fingerprint(network).items() if content != before.get(name))


def audit(operated: Operated, before: Mapping[str, bytes], name: str) -> None:
    """Prove that training kept to the account. `before` is the fingerprint taken before it, `name` the run's.

    Raises TrainingError naming each frozen tensor that moved by a single bit, each trained one that did not
    move at all, and each that the account does not list exactly once.
    """
    after, changed = operated.network.state_dict(), moved(operated.network, before)
    listed = [entry.name for entry in operated.account]
    faults = [f"{tensor} is not accounted for exactly once" for tensor in after if listed.count(tensor) != 1]
    for entry in operated.account:
        if entry.name in changed and entry.fate == "frozen":
            faults.append(f"{entry.name} is frozen but moved")
        if entry.name not in changed and entry.fate == "trained":
            faults.append(f"{entry.name} is trained but never moved")
    if faults:
        raise TrainingError(f"the freeze audit of {name} failed: {'; '.join(faults)}. Nothing was kept.")
