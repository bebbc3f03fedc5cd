"""One network trained to its end, with checkpoints in the store from which a killed training goes on."""

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from transferkit.checkpoints import Checkpoint, EpochLog
from transferkit.config import Setting
from transferkit.examples import Examples
from transferkit.network import LayeredNet
from transferkit.ranks import ALONE, Ranks
from transferkit.replay import record_graph
from transferkit.store import Store
from transferkit.training import Keeping, train
from transferkit.treatments import Run


@dataclass(frozen=True)
class Conduct:
    """Under what circumstances a network is trained, which change nothing but rounding in what comes out.

    `ranks` are the processes that train it together, a checkpoint is kept every so many seconds. `graphs`: on a GPU,
    each step is replayed as a CUDA graph. `deterministic`: algorithms alone that give the same bits every time.
    `abreast`: so many groups of networks are trained by one process at a time, a step of each in turn.
    """

    ranks: Ranks = ALONE
    checkpoint_seconds: float = 180.0
    graphs: bool = False
    deterministic: bool = False
    abreast: int = 1


USUAL = Conduct()


@dataclass(frozen=True)
class Glimpse:
    """A network in training: its log so far, empty before the first epoch; conv1 now, float32 filters x 3 x k x k."""

    log: tuple[EpochLog, ...]
    conv1: np.ndarray


@dataclass(frozen=True)
class Trained:
    """What a training came to: its epochs, conv1 after each of them (0: untrained), and the seconds it took."""

    log: tuple[EpochLog, ...]
    history: Mapping[int, np.ndarray]
    seconds: float


def carry_through(
    store: Store, run: Run, setting: Setting, network: LayeredNet, examples: tuple[Examples, Examples],
    conduct: Conduct,
) -> Generator[Glimpse | None, None, Trained]:  # fmt: skip
    """Train a network, from its checkpoint in the store if there is one, and tell the store how far it is.

    The caller may look before the training and after each epoch, and do something else after each step (None), for as
    long as it likes: that is not counted. Only the first process reads and writes the store. Raises TrainingError as
    `train`.
    """
    began, n_images, leads = time.perf_counter(), len(examples[0].labels), conduct.ranks.leads
    start = conduct.ranks.told(lambda: store.checkpoint(run, setting))
    log, history = ([], {0: _first_filters(network)}) if start is None else (list(start.log), dict(start.history))
    before = start.seconds if start else 0.0
    away = yield from _let(_glimpse(log, history))

    def save(checkpoint: Checkpoint) -> None:
        spent = before + time.perf_counter() - began - away
        store.save_checkpoint(run, setting, replace(checkpoint, history=history, seconds=spent))
        store.beat(run, setting, len(log) * n_images + checkpoint.step * setting.recipe.batch_size)

    if leads:  # what a killed process had seen since its checkpoint is lost
        store.beat(run, setting, len(log) * n_images + (start.step * setting.recipe.batch_size if start else 0))
    keeping = Keeping(start, save if leads else None, conduct.checkpoint_seconds)
    keys = ("order", run.split, run.seed, run.target, "base" if run.source is None else "above the chop")
    for entry in train(
        network, examples, setting.recipe, setting.precision, *keys, ranks=conduct.ranks, keeping=keeping,
        record=partial(record_graph, alone=conduct.abreast == 1) if conduct.graphs else None,
    ):  # fmt: skip
        if entry is None:
            away += yield from _let(None)
            continue
        log.append(entry)
        history[entry.epoch] = _first_filters(network)
        if leads:
            store.beat(run, setting, len(log) * n_images)
        away += yield from _let(_glimpse(log, history))
    return Trained(tuple(log), history, before + time.perf_counter() - began - away)


def _let(seen: Glimpse | None) -> Generator[Glimpse | None, None, float]:
    """Let the caller look, or do something else; how many seconds it took."""
    began = time.perf_counter()
    yield seen
    return time.perf_counter() - began


def _glimpse(log: Sequence[EpochLog], history: Mapping[int, np.ndarray]) -> Glimpse:
    return Glimpse(tuple(log), history[len(log)])


def _first_filters(network: LayeredNet) -> np.ndarray:
    return network.get_parameter(network.spec.first_filters).detach().cpu().numpy().copy()
