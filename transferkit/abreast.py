"""Groups of networks trained abreast by one process, a step of each in turn; on a GPU, each group on its own stream.

Small networks leave a GPU idle: a step of one is too little work for it. The streams let it do those of several at
once. What comes out is what each group gives alone. Not measured on a GPU; on a CPU there is nothing to gain.
"""

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from typing import TypeVar

import torch

from transferkit.config import Device
from transferkit.experiment import Failure, circumstances, in_steps, perform_group
from transferkit.study import Study
from transferkit.treatments import Run

Returned = TypeVar("Returned")


def perform_groups(study: Study, groups: Sequence[Sequence[Run]]) -> tuple[Failure, ...]:
    """Train the groups of `groups_of` side by side, as `perform_group` does each; return what failed."""
    study = replace(study, conduct=replace(study.conduct, abreast=len(groups)))  # which may be fewer than was asked for
    if len(groups) == 1:
        return perform_group(study, groups[0])
    with circumstances(study):
        ended = take_turns([in_steps(study, group, wait=False) for group in groups], study.setting.device)
    failures = [failure for failures in ended for failure in failures]
    failed = {failure.run for failure in failures}
    for group in groups:  # waiting for what another process trains only now, when nothing is held that it may wait for
        failures += perform_group(study, [run for run in group if run not in failed])
    return tuple(failures)


def take_turns(trainings: Sequence[Generator[object, None, Returned]], device: Device) -> list[Returned]:
    """Advance each by one step in turn, until all have ended; what they returned, in their order.

    On `cuda` each does all that it does on a stream of its own. The caller's random numbers stay as they were.
    """
    streams = [torch.cuda.Stream() if device == "cuda" else None for _ in trainings]
    waiting = deque(enumerate(trainings))
    returned: dict[int, Returned] = {}
    with ExitStack() as closing, _own_randomness(device):
        for training in trainings:  # if one breaks off, the others let go of what they hold
            closing.callback(training.close)
        while waiting:
            number, training = waiting.popleft()
            try:
                with _on(streams[number]):
                    next(training)
                waiting.append((number, training))
            except StopIteration as end:
                returned[number] = end.value
    return [returned[number] for number in range(len(trainings))]


@contextmanager
def _own_randomness(device: Device) -> Iterator[None]:
    """Trainings put the generators back as each found them, which others between them had moved on."""
    with torch.random.fork_rng([torch.cuda.current_device()] if device == "cuda" else []):
        yield


def _on(stream: torch.cuda.Stream | None) -> AbstractContextManager[object]:
    return nullcontext() if stream is None else torch.cuda.stream(stream)
