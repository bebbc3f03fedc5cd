"""Processes that decode pictures. They do not import PyTorch, so they start fast and stay small."""

import hashlib
import multiprocessing
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from data_prep.doubts import Values
from data_prep.listing import Fitting, shown
from data_prep.pictures import PictureError, Pictures, square
from transferkit.errors import DataError, UsageError
from transferkit.hardware import tie_to_parent

Task = TypeVar("Task")
Result = TypeVar("Result")

CHUNKS_AHEAD = 3  # chunks per process under way: enough to keep it busy, few enough for memory


@dataclass(frozen=True)
class Chunk:
    """Some pictures, packed. `dropped` are the positions of those left out, and `set_aside` says why.

    The positions in `values` count only those that are packed.
    """

    pixels: bytes
    dropped: tuple[int, ...]
    set_aside: tuple[tuple[str, str], ...]  # place and reason
    changed: tuple[tuple[str, str], ...]  # place and what was changed
    values: Values

    def checksum(self) -> str:
        """SHA-256 of the pixels."""
        return hashlib.sha256(self.pixels).hexdigest()


def make_chunk(pictures: Pictures, fitting: Fitting, places: tuple[str, ...]) -> Chunk:
    """Decode the pictures at `places` and fit them to a square; set aside those that cannot be decoded."""
    pixels, dropped, set_aside, changed = [], [], [], []
    for position, place in enumerate(places):
        try:
            picture = pictures.picture(place)
        except PictureError as problem:
            dropped.append(position)
            set_aside.append((shown(place), str(problem)))
            continue
        pixels.append(square(picture.image, fitting.size, fitting.shape))
        if picture.change:
            changed.append((shown(place), picture.change))
    images = np.stack(pixels) if pixels else np.empty((0, 3, fitting.size, fitting.size), np.uint8)
    return Chunk(images.tobytes(), tuple(dropped), tuple(set_aside), tuple(changed), Values.of(images))


def packed(
    work: Callable[[tuple[str, ...]], Chunk], tasks: Iterable[tuple[str, ...]], workers: int
) -> Generator[Chunk]:
    """Yield `work(task)` for every task, in order, computed by `workers` processes; 1 means this process.

    Raises UsageError for fewer than 1, DataError when a process dies, for example because memory runs out.
    """
    if workers < 1:
        raise UsageError(f"{workers} workers cannot decode anything: ask for at least 1.")
    if workers == 1:
        yield from map(work, tasks)
        return
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=tie_to_parent)
    try:
        yield from in_order(pool, work, tasks, CHUNKS_AHEAD * workers)
    except BrokenProcessPool:
        raise DataError(
            "a process that decodes pictures was killed, perhaps because memory ran out: run the same command again, "
            f"it goes on from here; with fewer than {workers} --workers it needs less memory."
        ) from None
    finally:  # wait for the chunks under way: killing a process while it sends one would block the pool for ever
        pool.shutdown(cancel_futures=True)


def in_order(executor: Executor, work: Callable[[Task], Result], tasks: Iterable[Task], ahead: int) -> Iterator[Result]:
    """Yield `work(task)` for every task, in order; at most `ahead` tasks are under way or wait to be taken."""
    waiting: deque[Future[Result]] = deque()
    for task in tasks:
        waiting.append(executor.submit(work, task))
        if len(waiting) == ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
