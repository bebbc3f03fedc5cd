"""Runs from prepared data to receipts: build, train, audit, keep; together where they share work."""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import torch

from transferkit.checkpoints import EpochLog
from transferkit.conduct import Glimpse, carry_through
from transferkit.data import HalfData, open_half, place
from transferkit.errors import TrainingError
from transferkit.examples import Examples, read_half
from transferkit.machine import device_name, keep_freed_memory, same_bits, threads, versions
from transferkit.manifest import Part
from transferkit.mean_image import mean_image
from transferkit.nets import StagedSpec
from transferkit.store import Receipt, Times
from transferkit.study import Study
from transferkit.surgery import Operated, audit, fingerprint, operate
from transferkit.treatments import Run


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

    Waits for a network that another process is training. Where several processes train together, each calls this, and
    the first failure is raised as a TrainingError that names the network.
    """
    with circumstances(study):
        training = in_steps(study, runs)
        while True:
            try:
                next(training)
            except StopIteration as end:
                failures: tuple[Failure, ...] = end.value
                return failures


def in_steps(
    study: Study, runs: Sequence[Run], *, wait: bool = True
) -> Generator[Glimpse | None, None, tuple[Failure, ...]]:
    """Train as `perform_group` does, under `circumstances`, letting the caller do something else after each step.

    Unless it is to `wait`, it leaves out what another process is training.
    """
    told, store, setting = study.conduct.ranks.told, study.store, study.setting
    todo = told(lambda: [run for run in runs if store.find(run, setting) is None])
    if not todo:
        return ()
    started = time.perf_counter()
    try:
        with _memory_told():
            shared = _share(study, todo)
    except TrainingError as problem:
        return tuple(_told_here(study, run, problem) for run in todo)
    seconds, failures = (time.perf_counter() - started) / len(todo), []
    for run in todo:
        try:
            with _claim(study, run, wait) as mine, _memory_told():
                if mine and told(lambda run=run: store.find(run, setting) is None):  # type: ignore[misc]
                    yield from _perform(study, run, shared, seconds)
        except TrainingError as problem:
            failures.append(_told_here(study, run, problem))
    return tuple(failures)


def _told_here(study: Study, run: Run, problem: TrainingError) -> Failure:
    """A failure of one process to be told later; of one of several, raised, or the others would wait for it for ever.

    torchrun ends all of them once one has ended.
    """
    failure = _failure(run, problem)
    if study.conduct.ranks.count > 1:
        raise TrainingError(failure.reason) from problem
    return failure


def _failure(run: Run, problem: TrainingError) -> Failure:
    return Failure(run, f"{run.label} ({run.split}, seed {run.seed}): {problem}")


def _claim(study: Study, run: Run, wait: bool) -> AbstractContextManager[bool]:
    return study.store.claim(run, study.setting, wait=wait) if study.conduct.ranks.leads else nullcontext(True)


@contextmanager
def circumstances(study: Study) -> Iterator[None]:
    """The number of threads and the choice of algorithms that the study is trained with; as before, afterwards.

    Freed memory is kept from then on: that changes no number.
    """
    keep_freed_memory()
    with threads(study.setting.threads), same_bits(study.conduct.deterministic):
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
    with circumstances(study):
        started = time.perf_counter()
        try:
            with _memory_told():
                shared = _share(study, (run,))
                for seen in _perform(study, run, shared, time.perf_counter() - started):
                    if seen is not None:
                        yield seen
        except TrainingError as problem:
            raise TrainingError(_failure(run, problem).reason) from problem
    kept = study.store.find(run, study.setting)
    assert kept is not None
    return kept


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
    own_mean = study.setting.net.pixels == "mean image" and deepest.source_base is None  # a copy keeps its source's
    mean = mean_image(train) if own_mean else None
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


def _perform(study: Study, run: Run, shared: _Shared, seconds_shared: float) -> Iterator[Glimpse | None]:
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
        graphs=study.conduct.graphs, deterministic=study.conduct.deterministic, abreast=study.conduct.abreast,
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
