"""The networks that a curve trains: from scratch, and fine-tuned from given weights; as many as the minutes allow.

Each is a run of the split `whole` on the pictures of one fold, kept with its receipt as any other of the library.
"""

import heapq
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from course.practice.telling import Told
from transferkit.config import Preset, Recipe
from transferkit.disk.store import Receipt
from transferkit.errors import TrainingError
from transferkit.specs import Net
from transferkit.training.experiment import perform_group
from transferkit.training.forecast import Probe, seconds_of
from transferkit.training.study import Study
from transferkit.treatments import Run, parse_run

SPLIT, SCRATCH = "whole", "baseT"
STEPS = 400  # of fine-tuning; training from scratch takes twice as many
FEWEST_EPOCHS, MOST_EPOCHS = 6, 60
LONGER = (8, 4, 2)  # times these epochs, where the minutes allow
BATCH, LEARNING_RATE = 32, 0.01


@dataclass(frozen=True)
class Design:
    """Which networks are trained in each of `folds` folds: fine-tuned ones for `epochs`, for each n in `fine_tuned`.

    One from scratch is trained for twice the `epochs`, and with `half_length` another for `epochs`: what the second
    half of its training gained says whether it had learned.
    """

    folds: int
    epochs: int
    fine_tuned: tuple[int, ...]
    half_length: bool = True

    def runs(self, seed: int) -> tuple[tuple[Run, int], ...]:
        """The runs of one fold, each with its epochs."""
        labels = [(SCRATCH, 2 * self.epochs), *((f"P{n}T+", self.epochs) for n in self.fine_tuned)]
        labels += [(SCRATCH, self.epochs)] if self.half_length else []
        return tuple((parse_run(label, SPLIT, seed), epochs) for label, epochs in labels)


@dataclass(frozen=True)
class Job:
    """One network to train, and the fold (from 0) that validates it."""

    study: Study
    run: Run
    fold: int

    @property
    def epochs(self) -> int:
        """For how many epochs it is trained."""
        return self.study.setting.recipe.epochs

    @property
    def receipt(self) -> Receipt | None:
        """Its receipt, if it is trained."""
        return self.study.store.find(self.run, self.study.setting)


def recipe_for(pictures: int, epochs: int) -> Recipe:
    """The recipe of every network of a curve, for so many training pictures."""
    batch = min(BATCH, max(4, pictures // 8))
    return Recipe(epochs=epochs, batch_size=batch, learning_rate=LEARNING_RATE)


def preset_for(net: Net, pictures: int, epochs: int) -> Preset:
    """The same as a preset."""
    return Preset("curve", "one's own pictures", net, recipe_for(pictures, epochs))


def usual_epochs(pictures: int) -> int:
    """Epochs of fine-tuning: STEPS steps, within bounds."""
    batch = recipe_for(pictures, 1).batch_size
    return min(MOST_EPOCHS, max(FEWEST_EPOCHS, -(-STEPS * batch // pictures)))


def designs(folds: int, epochs: int, chop_points: Sequence[int], *, longer: bool = False) -> Iterator[Design]:
    """Designs from the most to the least work: first fewer folds, then fewer networks, then fewer epochs.

    With `longer` those come first that train all networks in all folds for 8, 4 or 2 times the epochs, so that minutes
    which are left over go into learning to the end.
    """
    deepest = chop_points[-1]
    both = tuple(sorted({deepest, chop_points[len(chop_points) // 2]}))
    for times in LONGER if longer else ():
        yield Design(folds, times * epochs, both)
    for fine_tuned, half_length in ((both, True), ((deepest,), True), ((deepest,), False)):
        for count in range(folds, 1, -1):
            yield Design(count, epochs, fine_tuned, half_length)
    for fewer in (epochs // 2, epochs // 3):
        if fewer >= 2:
            yield Design(2, fewer, (deepest,), half_length=False)


def seconds_for(design: Design, study: Study, found: Probe, seeds: Sequence[int]) -> float:
    """Seconds that the networks of a design take on the workers of a probe; the longest are trained first."""
    taken = []
    for run, epochs in design.runs(0):
        recipe = replace(study.setting.recipe, epochs=epochs)
        own = replace(study, setting=replace(study.setting, recipe=recipe))
        taken += [seconds_of(own, run, found)] * design.folds * len(seeds)
    busy = [found.start] * found.workers
    for seconds in sorted(taken, reverse=True):
        heapq.heapreplace(busy, busy[0] + seconds)
    return max(busy)


def train(jobs: Sequence[Job], workers: AbstractContextManager[Executor], told: Told) -> None:
    """Train the jobs that have no receipt, the longest first; `told` hears of each that is done.

    What is kept stays when one fails: the others are trained, and then TrainingError names those that failed.
    """
    todo = [job for job in jobs if job.receipt is None]
    if not todo:
        return
    todo.sort(key=lambda job: -job.epochs)
    reasons: list[str] = []
    with workers as executor:
        futures = {executor.submit(perform_group, job.study, (job.run,)): job for job in todo}
        for done, future in enumerate(as_completed(futures), 1):
            job = futures[future]
            reasons += [failure.reason for failure in future.result()]
            if receipt := job.receipt:
                told(
                    f"[{done}/{len(todo)}] {job.run.label}, {job.epochs} epochs, fold {job.fold + 1}: "
                    f"top-1 {receipt.final.top1:.3f}, {receipt.times.seconds:.0f} s"
                )
    if reasons:
        raise TrainingError(f"{len(reasons)} of {len(todo)} networks failed, the others are kept: {' '.join(reasons)}")
