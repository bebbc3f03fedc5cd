"""Processes that decode pictures. No PyTorch is imported in them, so they start fast and are small."""

import hashlib
import multiprocessing
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from data_prep.ahead import in_order
from data_prep.listing import Fitting
from data_prep.pictures import PictureError, Pictures, square
from transferkit.errors import DataError, UsageError
from transferkit.hardware import tie_to_parent

AHEAD = 3  # chunks asked for per process: enough to keep it busy, few enough for memory


@dataclass(frozen=True)
class Chunk:
    """Some pictures, packed. `dropped` are the positions among them of those set aside, with `set_aside` why."""

    pixels: bytes
    dropped: tuple[int, ...]
    set_aside: tuple[tuple[str, str], ...]  # place and reason
    changed: tuple[tuple[str, str], ...]  # place and what was changed

    def checksum(self) -> str:
        """SHA-256 of the pixels."""
        return hashlib.sha256(self.pixels).hexdigest()


def pack(pictures: Pictures, fitting: Fitting, places: tuple[str, ...]) -> Chunk:
    """Decode and fit the pictures at `places`; those that cannot be decoded are set aside."""
    pixels, dropped, set_aside, changed = [], [], [], []
    for position, place in enumerate(places):
        shown = place.encode(errors="backslashreplace").decode()  # names of files may be any bytes
        try:
            picture = pictures.picture(place)
        except PictureError as problem:
            dropped.append(position)
            set_aside.append((shown, str(problem)))
            continue
        pixels.append(square(picture.image, fitting.size, fitting.shape).tobytes())
        if picture.change:
            changed.append((shown, picture.change))
    return Chunk(b"".join(pixels), tuple(dropped), tuple(set_aside), tuple(changed))


def packed(
    work: Callable[[tuple[str, ...]], Chunk], tasks: Iterable[tuple[str, ...]], workers: int
) -> Generator[Chunk]:
    """`work` of every task in order, by so many processes (1: by this one), a few tasks ahead of whoever listens.

    Raises UsageError for fewer than 1, DataError when a process dies, as it does when memory runs out.
    """
    if workers < 1:
        raise UsageError(f"{workers} workers cannot decode anything: ask for at least 1.")
    if workers == 1:
        yield from map(work, tasks)
        return
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=tie_to_parent)
    try:
        yield from in_order(pool, work, tasks, AHEAD * workers)
    except BrokenProcessPool:
        raise DataError(
            "a process that decodes pictures was killed, perhaps because memory ran out: run the same command again, "
            f"it goes on from here; with fewer than {workers} --workers it needs less memory."
        ) from None
    finally:  # waits for the chunks under way: a process that is killed while it sends one blocks the pool for ever
        pool.shutdown(cancel_futures=True)
