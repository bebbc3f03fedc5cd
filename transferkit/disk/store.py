"""Receipts and weights on disk: the only code that knows where the files of a run are.

A run's folder is named after the digest of everything that decides its result. The receipt is written last: so a run
is done exactly when its receipt exists and its weights agree with it.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count
from pathlib import Path

import msgspec
import numpy as np
from safetensors.numpy import load as load_safetensors
from safetensors.numpy import save as save_safetensors

from transferkit.config import Setting, digest
from transferkit.disk import atomic
from transferkit.disk.checkpoints import Checkpoint, EpochLog, pack, unpack
from transferkit.errors import StoreError
from transferkit.specs import read_net
from transferkit.treatments import Run

RECEIPT, WEIGHTS, HISTORY, PULSE = "receipt.json", "weights.safetensors", "history.safetensors", "pulse.json"
CHECKPOINT = "checkpoint.safetensors"
LOCK, DAMAGED = ".lock", ".damaged-"
_log = logging.getLogger(__name__)

Weights = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Times:
    """When, how fast and with which others a run was trained: all that may differ between two receipts of one run.

    `shared_with` names the networks whose frozen features came from the same pass over the images. `seconds` includes
    this network's part of that pass, and the time before any checkpoint that it went on from. `processes` is the number
    that trained it together; `graphs` and `deterministic` are those of its `Execution`.
    """

    finished: str
    seconds: float
    images_per_second: float
    shared_with: tuple[str, ...] = ()
    processes: int = 1
    graphs: bool = False
    deterministic: bool = False


@dataclass(frozen=True)
class Receipt:
    """A finished run, its setting, its log, and the versions and the device it was trained with.

    `account` says for each parameter and buffer where it came from and whether it was trained. `checksums` are the
    SHA-256 of the files beside the receipt, by name.
    """

    run: Run
    setting: Setting
    log: tuple[EpochLog, ...]
    account: Mapping[str, str]
    checksums: Mapping[str, str]
    versions: Mapping[str, str]
    device_name: str
    times: Times

    @property
    def final(self) -> EpochLog:
        """The last epoch, when the learning rate has come down."""
        return self.log[-1]


@dataclass(frozen=True)
class Store:
    """The work folder."""

    work: Path

    def run_folder(self, run: Run, setting: Setting) -> Path:
        """The folder for the files of this run under this setting, done or not."""
        name = f"{run.label}-{run.split}-seed{run.seed}-{digest((run, setting.of(run)))}"
        return self.work / "runs" / Path(setting.data).name / name

    def figures_folder(self, data: str) -> Path:
        """The folder for figures and tables of a data set."""
        return self.work / "figures" / Path(data).name

    def claim(self, run: Run, setting: Setting, *, wait: bool = True) -> AbstractContextManager[bool]:
        """Hold the lock of a run while it is trained: another process that wants to train it waits, and finds it done.

        Without `wait`, yields at once whether the lock is held.
        """
        return atomic.exclusive(self.run_folder(run, setting) / LOCK, wait)

    def find(self, run: Run, setting: Setting) -> Receipt | None:
        """The receipt of a finished run, or None. Damaged files are set aside with a logged warning.

        They stay where they are while another process trains that run.
        """
        receipt, damage = self._inspect(run, setting)
        return self._set_aside(run, setting, damage) if damage else receipt

    def receipts(self) -> Iterator[Receipt]:
        """Every readable receipt, whatever its setting, in the order of folders; the weights are not checked."""
        paths = (self.work / "runs").glob(f"*/[!.]*/{RECEIPT}")
        for path in sorted(path for path in paths if DAMAGED not in path.parent.name):
            with suppress(OSError, msgspec.DecodeError):  # `find` sets a damaged one aside
                yield _decoded(path.read_bytes())

    def weights(self, run: Run, setting: Setting) -> dict[str, np.ndarray]:
        """The trained weights of a finished run by name. Raises StoreError when it is unfinished or damaged."""
        return self._read(run, setting, WEIGHTS)

    def history(self, run: Run, setting: Setting) -> dict[int, np.ndarray]:
        """conv1 of a finished base network by epoch, float32 filters x 3 x k x k; epoch 0 is untrained.

        Raises StoreError when that run is unfinished or damaged, or kept no history.
        """
        kept = self._read(run, setting, HISTORY)
        return {int(epoch): kept[epoch] for epoch in sorted(kept, key=int)}

    def give(self, weights: Weights) -> str:
        """Keep weights to start from or to copy; return the name by which `given` finds them, their SHA-256."""
        content = _packed({name: weights[name] for name in sorted(weights)})
        name = sha256(content).hexdigest()
        atomic.write_bytes(self.work / "given" / f"{name}.safetensors", content)
        return name

    def given(self, name: str) -> dict[str, np.ndarray]:
        """The weights that `give` kept under this name. Raises StoreError when they are missing or damaged."""
        path = self.work / "given" / f"{name}.safetensors"
        content = path.read_bytes() if path.is_file() else b""
        if sha256(content).hexdigest() != name:
            raise StoreError(f"{path} is {'damaged' if content else 'missing'}: give it again with --given or --start.")
        return load_safetensors(content)

    def _read(self, run: Run, setting: Setting, name: str) -> dict[str, np.ndarray]:
        folder = self.run_folder(run, setting)
        receipt, damage = self._inspect(run, setting)
        if damage:
            raise StoreError(f"{folder} is damaged ({damage}): run the sweep again to set it aside and train it anew.")
        if receipt is None or name not in receipt.checksums:
            raise StoreError(f"{run.label} has no {name} with a receipt in {folder}: run the sweep again to train it.")
        return load_safetensors((folder / name).read_bytes())

    def keep(self, receipt: Receipt, weights: Weights, history: Mapping[int, np.ndarray] | None = None) -> Receipt:
        """Write weights and history, then the receipt with their checksums, each atomically; return that receipt.

        If another process has kept the same run in the meantime, its files stay and its receipt is returned.
        """
        folder = self.run_folder(receipt.run, receipt.setting)
        atomic.sweep_partials(folder)
        kept, _ = self._inspect(receipt.run, receipt.setting)
        if kept is None:
            files = {WEIGHTS: _packed(weights)}
            if history:
                files[HISTORY] = _packed({str(epoch): conv1 for epoch, conv1 in history.items()})
            kept = replace(receipt, checksums={name: sha256(content).hexdigest() for name, content in files.items()})
            (folder / RECEIPT).unlink(missing_ok=True)  # a damaged one, which nobody should compare with the new files
            for name, content in files.items():
                atomic.write_bytes(folder / name, content)
            atomic.write_bytes(folder / RECEIPT, _encoded(kept))
        for temporary in (PULSE, CHECKPOINT):
            (folder / temporary).unlink(missing_ok=True)
        return kept

    def save_checkpoint(self, run: Run, setting: Setting, checkpoint: Checkpoint) -> None:
        """Replace the checkpoint of a run in training, atomically."""
        folder = self.run_folder(run, setting)
        atomic.sweep_partials(folder)
        atomic.write_bytes(folder / CHECKPOINT, pack(checkpoint))

    def checkpoint(self, run: Run, setting: Setting) -> Checkpoint | None:
        """The checkpoint from which a run can go on, or None. A damaged one is deleted with a logged warning."""
        path = self.run_folder(run, setting) / CHECKPOINT
        try:
            return unpack(path)
        except FileNotFoundError:
            return None
        except ValueError as problem:
            _log.warning("the checkpoint of %s is damaged (%s): it is trained from the beginning.", run.label, problem)
            path.unlink(missing_ok=True)
            return None

    def beat(self, run: Run, setting: Setting, images: int) -> None:
        """Write down how many images a run in training has seen, so that another process can show its progress."""
        atomic.write_bytes(self.run_folder(run, setting) / PULSE, msgspec.json.encode(images))

    def pulse(self, run: Run, setting: Setting) -> int:
        """The number of images that a run in training has seen; 0 when it has not begun."""
        try:
            return msgspec.json.decode((self.run_folder(run, setting) / PULSE).read_bytes(), type=int)
        except (OSError, msgspec.DecodeError):
            return 0

    def _inspect(self, run: Run, setting: Setting) -> tuple[Receipt | None, str]:
        """The receipt of a finished run, or None and a description of the damage, empty if there is no receipt."""
        folder = self.run_folder(run, setting)
        if not (folder / RECEIPT).exists():
            return None, ""
        try:
            receipt = _decoded((folder / RECEIPT).read_bytes())
            found = {name: sha256((folder / name).read_bytes()).hexdigest() for name in receipt.checksums}
        except (msgspec.DecodeError, FileNotFoundError) as problem:
            return None, f"{type(problem).__name__}: {problem}"
        if (found, receipt.run, receipt.setting) != (receipt.checksums, run, setting.of(run)):
            return None, "its files or its settings are not those the receipt names"
        return receipt, ""

    def _set_aside(self, run: Run, setting: Setting, damage: str) -> Receipt | None:
        """Rename the folder of a damaged run unless it is being trained; its receipt, if that has just finished."""
        folder = self.run_folder(run, setting)
        try:
            with self.claim(run, setting, wait=False) as mine:
                if not mine:
                    return None
                receipt, damage = self._inspect(run, setting)  # again: the last holder of the lock may have trained it
                if not damage:
                    return receipt
                names = (folder.with_name(f"{folder.name}{DAMAGED}{number}") for number in count(1))
                aside = folder.rename(next(name for name in names if not name.exists()))
        except (StoreError, OSError) as problem:  # the store may be read-only
            _log.warning("%s is damaged (%s) but cannot be set aside: %s", folder, damage, problem)
            return None
        _log.warning("%s is damaged (%s): set aside as %s, to be trained again.", folder.name, damage, aside.name)
        return None


def _encoded(receipt: Receipt) -> bytes:
    """A receipt as a file: JSON, indented for people, with a digest of all the rest."""
    values = msgspec.json.decode(msgspec.json.encode(receipt))
    text = msgspec.json.encode(values | {"digest": digest(values)}, order="deterministic")
    return msgspec.json.format(text, indent=1) + b"\n"


def _decoded(content: bytes) -> Receipt:
    """The receipt in a file's content. Raises DecodeError when it is damaged, or edited; old ones have no digest."""
    receipt = msgspec.json.decode(content, type=Receipt, dec_hook=read_net)
    values = msgspec.json.decode(content)
    if values.pop("digest", None) not in (None, digest(values)):
        raise msgspec.DecodeError("the receipt was edited after it was written")
    return receipt


def _packed(arrays: Weights) -> bytes:
    return save_safetensors({name: np.asarray(array, order="C") for name, array in arrays.items()})
