"""Take one run from prepared data to its receipt: build, train, audit, keep; and groups of runs that share work."""

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

import numpy as np
import torch

from transferkit.config import Recipe
from transferkit.disk.checkpoints import Checkpoint, EpochLog
from transferkit.disk.store import Receipt, Times
from transferkit.errors import TrainingError
from transferkit.network import LayeredNet
from transferkit.randomness import Key
from transferkit.specs import StagedSpec
from transferkit.training.cuda_graphs import record_graph
from transferkit.training.data import open_half, place
from transferkit.training.examples import Examples, mean_image, read_half
from transferkit.training.loop import Checkpointing, as_array, train
from transferkit.training.machine import device_name, keep_freed_memory, same_bits, threads, versions
from transferkit.training.made_layers import with_made_filters
from transferkit.training.study import Study
from transferkit.training.surgery import Operated, audit, fingerprint, operate
from transferkit.treatments import MADE, Run


@dataclass(frozen=True)
class Failure:
    """A run that could not be trained, and the reason, in a sentence that names the run."""

    run: Run
    reason: str

    @classmethod
    def of(cls, run: Run, problem: object) -> "Failure":
        """The failure of a run for a reason that does not name it."""
        return cls(run, f"{run.label} ({run.split}, seed {run.seed}): {problem}")


@dataclass(frozen=True)
class Snapshot:
    """A network in training: its log so far, empty before the first epoch; its conv1, float32 filters x 3 x k x k."""

    log: tuple[EpochLog, ...]
    conv1: np.ndarray


def perform(study: Study, run: Run) -> Receipt:
    """Train one network, keep its weights and return its receipt; if it is kept already, only return the receipt.

    The base that it copies from must be finished. Everything random is keyed by the run, so that the same call on the
    same machine gives the same bits. If another process trains this network, this waits for it. Raises TrainingError,
    naming the network, when the training fails.
    """
    for failure in perform_group(study, (run,)):
        raise TrainingError(failure.reason)
    receipt = study.execution.processes.from_first(lambda: study.store.find(run, study.setting))
    assert receipt is not None
    return receipt


def perform_group(study: Study, runs: Sequence[Run]) -> tuple[Failure, ...]:
    """Train the runs of one group of `groups_of` that have no receipt; keep each when it is done; return the failures.

    If another process trains one of them, this waits for it. When several processes train together, each of them
    calls this, and the first failure is raised as a TrainingError that names the network.
    """
    processes, store, setting = study.execution.processes, study.store, study.setting
    todo = processes.from_first(lambda: [run for run in runs if store.find(run, setting) is None])
    if not todo:
        return ()
    failures = []
    study = replace(study, prepared=study.prepared.opened_again())
    with threads(setting.threads), same_bits(study.execution.deterministic):
        try:
            shared = _share(study, todo)
        except TrainingError as problem:
            return tuple(_failure(study, run, problem) for run in todo)
        for run in todo:
            try:
                with store.claim(run, setting) if processes.is_first else nullcontext():
                    # Looks again: while this waited for the claim, another process may have trained the run.
                    if processes.from_first(lambda run=run: store.find(run, setting) is None):  # type: ignore[misc]
                        for _ in _train_run(study, run, shared):
                            pass
            except TrainingError as problem:
                failures.append(_failure(study, run, problem))
    return tuple(failures)


def watch(study: Study, run: Run) -> Generator[Snapshot, None, Receipt]:
    """Train one network as `perform` does, to the same bits; yield before the training and after each epoch.

    A finished run yields nothing. If the generator is closed early, it keeps only a checkpoint, from which the next
    call goes on. The caller's own time does not count. It holds no lock, so that a caller who stops to look blocks
    nobody: two processes that watch one network both train it, to the same bits. Raises what `perform` raises.
    """
    if receipt := study.store.find(run, study.setting):
        return receipt
    study = replace(study, prepared=study.prepared.opened_again())
    with threads(study.setting.threads), same_bits(study.execution.deterministic):
        try:
            yield from _train_run(study, run, _share(study, (run,)))
        except TrainingError as problem:
            raise TrainingError(_failure(study, run, problem).reason) from problem
    kept = study.store.find(run, study.setting)
    assert kept is not None
    return kept


def training_keys(run: Run) -> tuple[Key, ...]:
    """The keys of everything random in a run's training: order and views of the images, and dropout.

    All chopped networks of a split, seed and half share them, so that they differ only by their treatment.
    """
    return ("order", run.split, run.seed, run.target, "base" if run.source is None else "above the chop")


@dataclass(frozen=True)
class _Shared:
    """What the runs of a group share: the weights they copy, and the examples they read, by number of frozen layers.

    `seconds` is each run's part of the time that it took to make them.
    """

    runs: tuple[Run, ...]
    source: dict[str, np.ndarray] | None
    mean: torch.Tensor | None
    n_classes: int
    train: dict[int, Examples]
    valid: dict[int, Examples]
    seconds: float


def _share(study: Study, runs: Sequence[Run]) -> _Shared:
    keep_freed_memory()
    began = time.perf_counter()
    deepest = max(runs, key=lambda run: run.n)
    source = study.execution.processes.from_first(lambda: _source(study, deepest))
    split, limit = study.prepared.split(deepest.split), study.setting.recipe.images_per_class
    read_part = partial(open_half, study.prepared, split, deepest.target, images_per_class=limit)
    with _full_memory_explained(study.setting.recipe):
        train, valid = (place(read_part(part), study.setting.device) for part in ("train", "valid"))
        own_mean = study.setting.net.pixels == "mean image" and deepest.source in (
            None,
            "R",
        )  # a copy keeps its source's
        mean = mean_image(train) if own_mean else None
        network = _operate(study, deepest, train.n_classes, source, mean).network
        if deepest.source in MADE:
            source = with_made_filters(deepest, source or {}, network, train)
            network = _operate(study, deepest, train.n_classes, source, mean).network
        depths = {0 if run.finetune else run.n for run in runs}
        precision, augment = study.setting.precision, bool(study.setting.recipe.augment)
        return _Shared(
            runs=tuple(runs), source=source, mean=mean, n_classes=train.n_classes,
            train=read_half(network, train, precision, depths, augment=augment),
            valid=read_half(network, valid, precision, depths),
            seconds=(time.perf_counter() - began) / len(runs),
        )  # fmt: skip


def _source(study: Study, run: Run) -> dict[str, np.ndarray] | None:
    """The weights that a run copies: those of its source base, or given ones, for P or for a base to start from."""
    net = study.setting.net
    if run.source_base:
        return study.store.weights(run.source_base, study.setting.of_source)
    started = net.start if isinstance(net, StagedSpec) and not run.n else None
    name = study.setting.given if run.source == "P" else started
    return study.store.given(name) if name else None


def _operate(
    study: Study, run: Run, n_classes: int, source: dict[str, np.ndarray] | None, mean: torch.Tensor | None
) -> Operated:
    operated = operate(study.setting.net, n_classes, run, source, study.setting.recipe.random_filters, mean)
    operated.network.to(study.setting.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return operated


def _train_run(study: Study, run: Run, shared: _Shared) -> Iterator[Snapshot]:
    """Build, train, audit and keep one network; yield before its training and after each epoch.

    It goes on from the checkpoint in the store, if there is one. Only the first process reads and writes the store.
    """
    setting, execution = study.setting, study.execution
    operated = _operate(study, run, shared.n_classes, shared.source, shared.mean)
    before = fingerprint(operated.network)
    depth = operated.network.frozen_depth
    examples = (shared.train[depth], shared.valid[depth])
    start = execution.processes.from_first(lambda: study.store.checkpoint(run, setting))
    journal = _Journal(study, run, operated.network, len(examples[0].labels), start)
    with journal.paused():
        yield journal.snapshot()
    save = journal.checkpoint if execution.processes.is_first else None
    with _full_memory_explained(setting.recipe):
        for epoch in train(
            operated.network, examples, setting.recipe, setting.precision, *training_keys(run),
            processes=execution.processes, checkpointing=Checkpointing(start, save, execution.checkpoint_seconds),
            record=record_graph if execution.graphs else None,
        ):  # fmt: skip
            journal.add(epoch)
            with journal.paused():
                yield journal.snapshot()
    audit(operated, before, run.label)
    if execution.processes.is_first:
        _keep(study, run, operated, journal, shared)


class _Journal:
    """The log of a training, conv1 after each epoch, and the seconds of work; it reports progress to the store."""

    def __init__(self, study: Study, run: Run, network: LayeredNet, n_images: int, start: Checkpoint | None) -> None:
        self._study, self._run, self._network, self._n_images = study, run, network, n_images
        self.log = list(start.log) if start else []
        self.history = dict(start.history) if start else {0: self._conv1()}
        self._began = time.perf_counter() - (start.seconds if start else 0.0)
        self._beat(start.step if start else 0)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began

    @property
    def images(self) -> int:
        return len(self.log) * self._n_images

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the time spent inside out of the seconds."""
        left = time.perf_counter()
        yield
        self._began += time.perf_counter() - left

    def add(self, epoch: EpochLog) -> None:
        self.log.append(epoch)
        self.history[epoch.epoch] = self._conv1()
        self._beat(0)

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        self._study.prepared.refuse_touched()
        complete = replace(checkpoint, history=self.history, seconds=self.seconds)
        self._study.store.save_checkpoint(self._run, self._study.setting, complete)
        self._beat(checkpoint.step)

    def snapshot(self) -> Snapshot:
        return Snapshot(tuple(self.log), self.history[len(self.log)])

    def _beat(self, steps: int) -> None:
        if self._study.execution.processes.is_first:
            images = self.images + steps * self._study.setting.recipe.batch_size
            self._study.store.beat(self._run, self._study.setting, images)

    def _conv1(self) -> np.ndarray:
        return as_array(self._network.get_parameter(self._network.spec.first_filters))


def _keep(study: Study, run: Run, operated: Operated, journal: _Journal, shared: _Shared) -> None:
    study.prepared.refuse_touched()
    setting, execution, seconds = study.setting.of(run), study.execution, journal.seconds + shared.seconds
    times = Times(
        datetime.now(UTC).isoformat(timespec="seconds"), seconds, journal.images / seconds,
        shared_with=tuple(other.label for other in shared.runs if other != run), processes=execution.processes.count,
        graphs=execution.graphs, deterministic=execution.deterministic,
    )  # fmt: skip
    account: Mapping[str, str] = {entry.name: str(entry) for entry in operated.account}
    receipt = Receipt(
        run, setting, tuple(journal.log), account, checksums={},  # the store adds them
        versions=versions(), device_name=device_name(setting.device), times=times,
    )  # fmt: skip
    weights = {name: tensor.cpu().numpy() for name, tensor in operated.network.state_dict().items()}
    study.store.keep(receipt, weights, journal.history if run.source is None else None)


def _failure(study: Study, run: Run, problem: TrainingError) -> Failure:
    """The failure of a run. When several processes train together, raises it: the others would wait for ever."""
    failure = Failure.of(run, problem)
    if study.execution.processes.count > 1:
        raise TrainingError(failure.reason) from problem
    return failure


@contextmanager
def _full_memory_explained(recipe: Recipe) -> Iterator[None]:
    """Turn the error of a full GPU into a sentence that says what to do."""
    try:
        yield
    except torch.OutOfMemoryError as problem:
        raise TrainingError(
            f"the memory of the GPU is full ({str(problem).splitlines()[0]}): end what else uses it, let several "
            f"processes share each batch of {recipe.batch_size} with torchrun, or choose a smaller network or images."
        ) from None
