"""Checkpoints, from which a training goes on to the same end: one safetensors file, complete or absent.

No random state is kept: every order, view and dropout mask is a function of the run's keys, epoch and step.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class EpochLog:
    """One epoch: mean training loss (nats), learning rate at its end, validation loss (nats) and top-1 (0..1)."""

    epoch: int
    train_loss: float
    learning_rate: float
    valid_loss: float
    top1: float


@dataclass(frozen=True)
class Checkpoint:
    """A training after `step` steps of the epoch that follows those in `log`.

    `weights` holds every parameter and buffer, `momenta` the momenta of the trained parameters, `losses` the loss of
    each step of the current epoch, all float32 (counters int64). `history` is conv1 by epoch, `seconds` the time spent
    so far.
    """

    step: int
    log: tuple[EpochLog, ...]
    losses: np.ndarray
    weights: Arrays
    momenta: Arrays
    history: Mapping[int, np.ndarray] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class _Progress:
    step: int
    log: tuple[EpochLog, ...]
    seconds: float
    checksum: str


def pack(checkpoint: Checkpoint) -> bytes:
    """The file of a checkpoint: its arrays, with the rest and a checksum of the arrays as metadata, in JSON."""
    arrays = {"losses": checkpoint.losses}
    arrays |= {f"weights/{name}": array for name, array in checkpoint.weights.items()}
    arrays |= {f"momenta/{name}": array for name, array in checkpoint.momenta.items()}
    arrays |= {f"history/{epoch}": array for epoch, array in checkpoint.history.items()}
    arrays = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    progress = _Progress(checkpoint.step, checkpoint.log, checkpoint.seconds, _checksum(arrays))
    return save(arrays, {"progress": msgspec.json.encode(progress).decode()})


def unpack(path: Path) -> Checkpoint:
    """The checkpoint in a file. Raises FileNotFoundError when there is no file, ValueError when it is damaged."""
    try:
        with safe_open(path, framework="numpy") as file:
            progress = msgspec.json.decode((file.metadata() or {})["progress"], type=_Progress)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, KeyError, msgspec.DecodeError) as problem:
        raise ValueError(f"{type(problem).__name__}: {problem}") from problem
    if _checksum(arrays) != progress.checksum:
        raise ValueError("its arrays are not those that were written")
    return Checkpoint(
        progress.step, progress.log, arrays["losses"], _part(arrays, "weights/"), _part(arrays, "momenta/"),
        {int(epoch): array for epoch, array in _part(arrays, "history/").items()}, progress.seconds,
    )  # fmt: skip


def _part(arrays: Arrays, prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _checksum(arrays: Arrays) -> str:
    hashed = hashlib.sha256()
    for name in sorted(arrays):
        hashed.update(name.encode())
        hashed.update(arrays[name].data)
    return hashed.hexdigest()
