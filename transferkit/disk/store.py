"""Receipts and weights on disk: the only code that knows where a run's files are.

A run's folder is named by the digest of everything that decides its result. The receipt is written last, so a
run is done exactly when its receipt is there and its weights agree with it.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
from safetensors.numpy import load as load_safetensors
from safetensors.numpy import save as save_safetensors

from transferkit.config import Setting, digest
from transferkit.disk import atomic
from transferkit.disk.checkpoints import Checkpoint, EpochLog, pack, unpack
from transferkit.disk.locks import exclusive
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
    """When, how fast and beside which others; the only part of a receipt that differs between two trainings of a run.

    `shared_with` names the networks whose frozen features came from the same pass over the images; `seconds` holds
    this network's part of that pass, and all the time up to the checkpoints that it went on from. `processes` is how
    many trained it together; `graphs` and `deterministic` are those of its `Execution`.
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
    """What was run, with what, on what, and what came out.

    `account` says for each parameter and buffer where it came from and whether it was trained; `checksums` are
    the SHA-256 of the files beside the receipt, by name.
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
        """The last epoch, after the learning rate has come down."""
        return self.log[-1]


@dataclass(frozen=True)
class Store:
    """The work folder."""

    work: Path

    def run_folder(self, run: Run, setting: Setting) -> Path:
        """Where the files of this run under this setting are, done or not."""
        name = f"{run.label}-{run.split}-seed{run.seed}-{digest((run, setting))}"
        return self.work / "runs" / Path(setting.data).name / name

    def figures_folder(self, data: str) -> Path:
        """Where figures and tables of a data set go."""
        return self.work / "figures" / Path(data).name

    def claim(self, run: Run, setting: Setting, *, wait: bool = True) -> AbstractContextManager[bool]:
        """Hold a run while it is trained: whoever else wants to train it waits, and then finds it done.

        Who does not `wait` is told whether it holds the run.
        """
        return exclusive(self.run_folder(run, setting) / LOCK, wait)

    def find(self, run: Run, setting: Setting) -> Receipt | None:
        """The receipt of a finished run, or None. Damaged files are set aside with a logged warning.

        While another process trains that run, they are left to it.
        """
        receipt, damage = self._inspect(run, setting)
        return self._set_aside(run, setting, damage) if damage else receipt

    def receipts(self) -> Iterator[Receipt]:
        """Every receipt that can be read, whatever its setting and without a look at its weights, by folder."""
        paths = (self.work / "runs").glob(f"*/[!.]*/{RECEIPT}")
        for path in sorted(path for path in paths if DAMAGED not in path.parent.name):
            with suppress(OSError, msgspec.DecodeError):  # whoever looks for that run sets it aside
                yield _decoded(path.read_bytes())

    def weights(self, run: Run, setting: Setting) -> dict[str, np.ndarray]:
        """The trained weights of a finished run by name. Raises StoreError when it is not finished or damaged."""
        return self._read(run, setting, WEIGHTS)

    def history(self, run: Run, setting: Setting) -> dict[int, np.ndarray]:
        """conv1 of a finished base network at moments of its training: by epoch, 0 is untrained; float32, as weights.

        Raises StoreError when that run is not finished, damaged, or kept no history.
        """
        kept = self._read(run, setting, HISTORY)
        return {int(epoch): kept[epoch] for epoch in sorted(kept, key=int)}

    def give(self, weights: Weights) -> str:
        """Keep weights that networks are to start from; returns the name by which `given` finds them, their SHA-256."""
        content = _packed({name: weights[name] for name in sorted(weights)})
        name = sha256(content).hexdigest()
        atomic.write_bytes(self.work / "given" / f"{name}.safetensors", content)
        return name

    def given(self, name: str) -> dict[str, np.ndarray]:
        """The weights that were given under this name. Raises StoreError when they are not there or damaged."""
        path = self.work / "given" / f"{name}.safetensors"
        content = path.read_bytes() if path.is_file() else b""
        if sha256(content).hexdigest() != name:
            raise StoreError(f"{path} is {'damaged' if content else 'missing'}: give those weights again with --start.")
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

        What another process has kept of the same run in the meantime stays as it is, and its receipt is returned.
        """
        folder = self.run_folder(receipt.run, receipt.setting)
        atomic.sweep_partials(folder)
        kept, _ = self._inspect(receipt.run, receipt.setting)
        kept = kept or self._write(receipt, weights, history)
        for passing in (PULSE, CHECKPOINT):
            (folder / passing).unlink(missing_ok=True)
        return kept

    def _write(self, receipt: Receipt, weights: Weights, history: Mapping[int, np.ndarray] | None) -> Receipt:
        folder = self.run_folder(receipt.run, receipt.setting)
        files = {WEIGHTS: _packed(weights)}
        if history:
            files[HISTORY] = _packed({str(epoch): conv1 for epoch, conv1 in history.items()})
        receipt = replace(receipt, checksums={name: sha256(content).hexdigest() for name, content in files.items()})
        (folder / RECEIPT).unlink(missing_ok=True)  # a damaged one: nobody is to compare it with what is written now
        for name, content in files.items():
            atomic.write_bytes(folder / name, content)
        text = msgspec.json.format(msgspec.json.encode(receipt, order="deterministic"), indent=1)
        atomic.write_bytes(folder / RECEIPT, text + b"\n")
        return receipt

    def save_checkpoint(self, run: Run, setting: Setting, checkpoint: Checkpoint) -> None:
        """Replace the checkpoint of a run in training, atomically."""
        folder = self.run_folder(run, setting)
        atomic.sweep_partials(folder)
        atomic.write_bytes(folder / CHECKPOINT, pack(checkpoint))

    def checkpoint(self, run: Run, setting: Setting) -> Checkpoint | None:
        """Where the training of a run can go on; None when it begins. A damaged one is deleted with a warning."""
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
        """Note that a run in training has seen so many images, for whoever watches from another process."""
        atomic.write_bytes(self.run_folder(run, setting) / PULSE, msgspec.json.encode(images))

    def pulse(self, run: Run, setting: Setting) -> int:
        """How many images a run in training has seen; 0 when it has not begun."""
        try:
            return msgspec.json.decode((self.run_folder(run, setting) / PULSE).read_bytes(), type=int)
        except (FileNotFoundError, msgspec.DecodeError):
            return 0

    def _inspect(self, run: Run, setting: Setting) -> tuple[Receipt | None, str]:
        """The receipt of a finished run, or None and what is damaged, which is nothing of one that has no receipt."""
        folder = self.run_folder(run, setting)
        if not (folder / RECEIPT).exists():
            return None, ""
        try:
            receipt = _decoded((folder / RECEIPT).read_bytes())
            found = {name: sha256((folder / name).read_bytes()).hexdigest() for name in receipt.checksums}
        except (msgspec.DecodeError, FileNotFoundError) as problem:
            return None, f"{type(problem).__name__}: {problem}"
        if (found, receipt.run, receipt.setting) != (receipt.checksums, run, setting):
            return None, "its files or its settings are not those the receipt names"
        return receipt, ""

    def _set_aside(self, run: Run, setting: Setting, damage: str) -> Receipt | None:
        """Rename the folder of a damaged run unless its files are just being written; the receipt, if they were."""
        folder = self.run_folder(run, setting)
        try:
            with self.claim(run, setting, wait=False) as mine:
                if not mine:
                    return None
                receipt, damage = self._inspect(run, setting)  # again: whoever held the claim may have trained it
                if not damage:
                    return receipt
                aside = folder.rename(_free_name(folder))
        except (StoreError, OSError) as problem:  # a store that is shared for reading
            _log.warning("%s is damaged (%s) but cannot be set aside: %s", folder, damage, problem)
            return None
        _log.warning("%s is damaged (%s): set aside as %s, to be trained again.", folder.name, damage, aside.name)
        return None


def _free_name(folder: Path) -> Path:
    names = (folder.with_name(f"{folder.name}{DAMAGED}{number}") for number in range(1, 10_000))
    return next(path for path in names if not path.exists())


def _decoded(content: bytes) -> Receipt:
    """The receipt of a file. Raises DecodeError when it is damaged."""
    return msgspec.json.decode(content, type=Receipt, dec_hook=read_net)


def _packed(arrays: Weights) -> bytes:
    return save_safetensors({name: np.asarray(array, order="C") for name, array in arrays.items()})
