"""The only training loop: training step by step to a log of epochs, which goes on from a checkpoint; and evaluation."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from transferkit.checkpoints import Checkpoint, EpochLog
from transferkit.config import Precision, Recipe
from transferkit.descent import Descent
from transferkit.errors import TrainingError
from transferkit.examples import EVALUATION_BATCH, Examples, batches
from transferkit.network import LayeredNet
from transferkit.ranks import ALONE, Ranks
from transferkit.replay import Recorder, Replay
from transferkit.steps import Steps, learning_rate, logits_of, step_of
from transferkit.streams import Key


@dataclass(frozen=True)
class Keeping:
    """Where a training goes on from, and what is done with the checkpoint that it gives every so many seconds."""

    start: Checkpoint | None = None
    save: Callable[[Checkpoint], None] | None = None
    seconds: float = 180.0


NOT_KEPT = Keeping()


def train(
    network: LayeredNet, examples: tuple[Examples, Examples], recipe: Recipe, precision: Precision, *keys: Key,
    ranks: Ranks = ALONE, keeping: Keeping = NOT_KEPT, record: Recorder | None = None,
) -> Iterator[EpochLog | None]:  # fmt: skip
    """Train on `examples` (training, validation); yields after each step: its EpochLog if it ended an epoch, else None.

    The caller may do something else in between, or stop; `epochs_of` gives the log alone.

    `keys` decide everything random, whatever ran before or between: from a checkpoint, training yields the epochs that
    were still to come, on the CPU with the same bits. What is frozen is never back-propagated through. On a GPU nothing
    is waited for within an epoch.

    With other `ranks` each process takes its part of every batch. Dropout and batch normalisation then see those
    parts; the running statistics that count are the first process's. With `record`, a step is recorded and replayed.

    Raises TrainingError, naming the step, when the loss is not finite, when there is less than one batch, or when
    a batch does not fit into the memory of the GPU, with the batch that does, or when a recorded step is another one.
    """
    steps = _steps(network, examples[0], recipe, Descent(network, recipe, precision, ranks), ranks, keys, record)
    log, first = _resume(steps, keeping.start)
    saved = time.monotonic()
    for epoch in range(len(log), recipe.epochs):
        for taken in steps.run(epoch, first):
            if keeping.save is not None and time.monotonic() - saved > keeping.seconds:
                keeping.save(_checkpoint(steps, taken, log))
                saved = time.monotonic()
            if taken < len(steps.losses):
                yield None
        _refuse_non_finite(steps.losses, epoch * len(steps.losses), recipe.learning_rate)
        ranks.follow_(network.buffers())
        top1, valid_loss = evaluate(network, examples[1], steps.descent.weights, ranks)
        rate = learning_rate(recipe, epoch + 1)
        log, first = (*log, EpochLog(epoch + 1, steps.losses.mean().item(), rate, valid_loss, top1)), 0
        yield log[-1]


def epochs_of(training: Iterable[EpochLog | None]) -> list[EpochLog]:
    """Train to the end; the log of its epochs."""
    return [entry for entry in training if entry is not None]


@torch.no_grad()
def evaluate(
    network: LayeredNet, examples: Examples, weights: Mapping[str, Tensor], ranks: Ranks = ALONE
) -> tuple[float, float]:
    """Top-1 accuracy (0..1) and mean cross-entropy (nats) over all examples, with these weights, without dropout.

    Of several processes each takes its part of the batches; all return the same.
    """
    network.eval()
    device, count = examples.labels.device, len(examples.labels)
    correct, loss = torch.zeros((), dtype=torch.int64, device=device), torch.zeros((), device=device)
    mine = torch.arange(count).split(EVALUATION_BATCH)[ranks.number :: ranks.count]
    rows = torch.cat(mine) if mine else torch.arange(0)
    for inputs, labels in batches(network, examples, rows, EVALUATION_BATCH, weights):
        logits = logits_of(network, inputs, examples.after, weights)
        correct += (logits.argmax(1) == labels).sum()
        loss += F.cross_entropy(logits, labels, reduction="sum")
    ranks.add_(correct)
    ranks.add_(loss)
    return correct.item() / count, loss.item() / count


def _steps(
    network: LayeredNet, training: Examples, recipe: Recipe, descent: Descent, ranks: Ranks, keys: tuple[Key, ...],
    record: Recorder | None,
) -> Steps:  # fmt: skip
    count = len(training.labels) // recipe.batch_size
    if count == 0:
        raise TrainingError(
            f"{len(training.labels)} training images are fewer than one batch of {recipe.batch_size}: "
            "prepare more images or choose a preset with smaller batches."
        )
    losses = torch.zeros(count, device=training.labels.device)
    take = step_of(network, training.after, descent)
    if record is not None:
        take = Replay(take, (*descent.state, *network.buffers()), record)
    return Steps(network, training, recipe, descent, ranks, keys, losses, take)


def _checkpoint(steps: Steps, taken: int, log: tuple[EpochLog, ...]) -> Checkpoint:
    weights = {name: _array(tensor) for name, tensor in steps.network.state_dict().items()}
    momenta = {name: _array(momentum) for name, momentum in steps.descent.momenta.items()}
    return Checkpoint(taken, log, _array(steps.losses[:taken]), weights, momenta)


def _array(tensor: Tensor) -> np.ndarray:
    array: np.ndarray = tensor.detach().cpu().numpy().copy()  # training goes on, the checkpoint stays
    return array


def _resume(steps: Steps, start: Checkpoint | None) -> tuple[tuple[EpochLog, ...], int]:
    """Put everything as it was; returns the epochs that are done and how many steps of the next one are."""
    if start is None:
        return (), 0
    steps.network.load_state_dict({name: torch.from_numpy(array) for name, array in start.weights.items()})
    steps.descent.resume(start.momenta)
    steps.losses[: start.step] = torch.from_numpy(start.losses)
    return start.log, start.step


def _refuse_non_finite(losses: Tensor, steps_before: int, peak: float) -> None:
    wrong = torch.nonzero(~torch.isfinite(losses)).flatten().tolist()
    if wrong:
        raise TrainingError(
            f"the loss is {losses[wrong[0]].item()} at step {steps_before + wrong[0]}: lower the learning rate for all "
            f"treatments alike, as with --learning-rate {peak / 2:g}, half of this one's peak."
        )
