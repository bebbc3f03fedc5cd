"""Load one half of a prepared data set onto a device, and put its images into reproducible batches."""

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import psutil
import torch
from torch import Tensor

from transferkit.config import Device
from transferkit.disk.prepared import IMAGES, LABELS, Manifest, Part, read_manifest
from transferkit.errors import DataError, UsageError
from transferkit.randomness import Key, generator_from
from transferkit.splits import ClassSplit, make_split
from transferkit.treatments import Half

# The largest share of the free memory that the training or validation images of a half may fill.
RESIDENT_SHARE: dict[Device, float] = {"cuda": 0.9, "cpu": 0.5}
PIECE = 1024  # images copied at a time
AHEAD = 3  # batches read in advance


@dataclass(frozen=True)
class HalfData:
    """Images of one half, uint8 N x 3 x H x W, and labels, int64 N, numbered 0..n_classes-1 within the half.

    If `rows`, int64 N, is given, `images` holds the whole data set, mapped from the disk, and these rows are the half.
    """

    images: Tensor
    labels: Tensor
    n_classes: int
    rows: Tensor | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the half's own images."""
        return len(self.labels) * self.images[0].nbytes if len(self.labels) else 0


@dataclass(frozen=True)
class Prepared:
    """A prepared folder and its manifest; the arrays stay on disk until a half is loaded."""

    folder: Path
    manifest: Manifest
    stamp: tuple[int, ...] | None = field(default=None, compare=False)  # of the arrays when they were verified

    def split(self, name: str) -> ClassSplit:
        """The split of these classes called `name`. Raises UsageError when they cannot be split that way."""
        classes = self.manifest.classes
        known_parts, groups = all(info.parts for info in classes), [info.group for info in classes]
        return make_split(name, [info.natural for info in classes], known_parts=known_parts, groups=groups)

    def can_split(self, name: str) -> bool:
        """Whether these classes can be split that way."""
        try:
            return bool(self.split(name))
        except UsageError:
            return False

    def opened_again(self) -> "Prepared":
        """The same data, verified anew if they may have been touched. Raises DataError when damaged or others."""
        if self.stamp and self.stamp == _stamp(self.folder):
            return self
        found = open_prepared(self.folder)
        if found.manifest != self.manifest:
            raise DataError(f"{self.folder} has been prepared anew with other data: start again, to train on those.")
        return found

    def refuse_touched(self) -> None:
        """Raise DataError when somebody has written to the arrays, or replaced them, since this was opened."""
        if self.stamp != _stamp(self.folder):
            raise DataError(
                f"{self.folder} was changed while networks were trained on it, so these are not kept: leave the data "
                "alone during a sweep, prepare them again if they are damaged, and run the same command again."
            )


def open_prepared(folder: Path, *, verify: bool = True) -> Prepared:
    """Open a prepared folder; `verify` compares its checksums. Raises DataError when it is damaged."""
    stamp = _stamp(folder)
    return Prepared(folder, read_manifest(folder, verify=verify), stamp)


def _stamp(folder: Path) -> tuple[int, ...] | None:
    """Inode, size and time of change (ns) of both arrays, which are cheaper than their checksums; None without them."""
    try:
        one, other = (
            (it.st_ino, it.st_size, it.st_mtime_ns) for it in map(Path.stat, (folder / IMAGES, folder / LABELS))
        )
        return one + other
    except OSError:
        return None


def load_half(
    prepared: Prepared, split: ClassSplit, half: Half, part: Part, *, images_per_class: int | None = None
) -> HalfData:
    """The training or validation images of one half, in file order, in memory. Raises what `open_half` raises."""
    return in_memory(open_half(prepared, split, half, part, images_per_class=images_per_class), "cpu")


def open_half(
    prepared: Prepared, split: ClassSplit, half: Half, part: Part, *, images_per_class: int | None = None
) -> HalfData:
    """The training or validation images of one half, in file order, left on the disk: `rows` says where they are.

    `images_per_class` keeps that many training images of each class, the first ones, as in the paper's supplement.
    Raises DataError when a class has fewer, or when the arrays cannot be read.
    """
    manifest = prepared.manifest
    first, last = manifest.train if part == "train" else manifest.valid
    labels = np.array(_mapped(prepared.folder / LABELS)[first:last])
    classes = split.classes(half)
    kept = np.flatnonzero(np.isin(labels, classes))
    if images_per_class is not None and part == "train":
        kept = _first_of_each(labels, kept, images_per_class, prepared)
    images = torch.from_numpy(_mapped(prepared.folder / IMAGES))
    within = np.searchsorted(classes, labels[kept])
    return HalfData(images, torch.from_numpy(within.astype(np.int64)), len(classes), torch.from_numpy(kept + first))


def in_memory(half: HalfData, device: Device) -> HalfData:
    """The half with its images in the memory of a device, copied piece by piece."""
    if half.rows is None:
        return replace(half, images=half.images.to(device), labels=half.labels.to(device))
    images = torch.empty((len(half.rows), *half.images.shape[1:]), dtype=torch.uint8, device=device)
    for piece, rows in zip(images.split(PIECE), half.rows.split(PIECE), strict=True):
        piece.copy_(half.images.index_select(0, rows))
    return HalfData(images, half.labels.to(device), half.n_classes)


def place(half: HalfData, device: Device) -> HalfData:
    """Put a half where a device reads it fastest: into its memory, if RESIDENT_SHARE of what is free holds it.

    Otherwise the images stay on the disk and are read ahead while the device computes. The same happens when a GPU
    has no room after all because several processes found it free at the same time. The numbers do not change.
    """
    if half.nbytes <= RESIDENT_SHARE[device] * free_memory(device):
        with suppress(torch.OutOfMemoryError):
            return in_memory(half, device)
        torch.cuda.empty_cache()  # the partial copy is freed only when the clause above ends
    return replace(half, labels=half.labels.to(device))


def free_memory(device: Device) -> float:
    """Bytes that this process may take: all the free memory of the GPU, or its share as one of the machine's workers.

    Blocks of the GPU's memory that torch keeps without using them are free for this process, though not for others.
    """
    if device == "cuda":
        kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        return torch.cuda.mem_get_info()[0] + kept
    return psutil.virtual_memory().available / count_siblings()


def count_siblings() -> int:
    """The number of worker processes beside this one, itself included; 1 if this is not a worker.

    Every process that the parent started counts, even Python's resource tracker: better one too many than too few.
    """
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None:
        return 1
    try:
        return max(1, len(psutil.Process(parent.pid).children()))
    except psutil.Error:  # the parent has just ended
        return 1


def read_ahead(images: Tensor, batches: Iterable[Tensor], device: torch.device) -> Iterator[Tensor]:
    """Yield batches of images mapped from the disk, on the device, each read while earlier ones are in use.

    `batches` are rows of the images, int64, on the CPU. On a GPU, the copies go through pinned memory on a stream of
    their own, so that training waits only when the disk is slower than the network.
    """
    copies = torch.cuda.Stream(device) if device.type == "cuda" else None
    waiting: deque[Future[tuple[Tensor, torch.cuda.Event | None]]] = deque()
    with ThreadPoolExecutor(1, "read-ahead") as reader:
        for rows in batches:
            waiting.append(reader.submit(_fetch, images, rows, copies))
            if len(waiting) > AHEAD:
                yield _arrived(*waiting.popleft().result())
        while waiting:
            yield _arrived(*waiting.popleft().result())


def _fetch(images: Tensor, rows: Tensor, copies: torch.cuda.Stream | None) -> tuple[Tensor, torch.cuda.Event | None]:
    read = torch.empty((len(rows), *images.shape[1:]), dtype=images.dtype, pin_memory=copies is not None)
    torch.index_select(images, 0, rows, out=read)
    if copies is None:
        return read, None
    with torch.cuda.stream(copies):
        sent = read.to(copies.device, non_blocking=True)
        return sent, copies.record_event()


def _arrived(sent: Tensor, event: torch.cuda.Event | None) -> Tensor:
    if event is not None:
        stream = torch.cuda.current_stream(sent.device)
        stream.wait_event(event)
        sent.record_stream(stream)  # otherwise its memory could be reused before this stream has read it
    return sent


def _mapped(path: Path) -> np.ndarray:
    try:
        rows: np.ndarray = np.load(path, mmap_mode="c")  # copy-on-write, since torch rejects read-only arrays
        return rows
    except (OSError, EOFError, ValueError) as problem:
        raise DataError(f"{path} cannot be read ({problem}): prepare the data set again.") from problem


def _first_of_each(labels: np.ndarray, kept: np.ndarray, count: int, prepared: Prepared) -> np.ndarray:
    rows = [kept[labels[kept] == label][:count] for label in np.unique(labels[kept])]
    if fewest := min((len(row) for row in rows if len(row) < count), default=0):
        raise DataError(
            f"{prepared.manifest.name} has a class with {fewest} training images, fewer than the {count} asked "
            "for: ask for fewer images per class or prepare more."
        )
    return np.sort(np.concatenate(rows))


def batch_order(n_images: int, batch_size: int, *keys: Key) -> Tensor:
    """The rows of one epoch's batches, int64 batches x batch size, a function of the keys; no short last batch."""
    order = torch.from_numpy(generator_from(*keys).permutation(n_images))
    return order[: n_images - n_images % batch_size].view(-1, batch_size)
