"""One network trained by several processes, as torchrun starts them: who is who, and what they tell each other."""

import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from transferkit.errors import TrainingError, UsageError

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

T = TypeVar("T")
POLL_SECONDS, PATIENCE_SECONDS = 0.02, 300.0


@dataclass(frozen=True)
class Processes:
    """Process number `rank` of the `count` that train one network together, each on its part of every batch.

    All of them must call the same methods in the same order. Only the first reads and writes the store.
    """

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the first process, which decides for all."""
        return self.rank == 0

    def share(self, batches: Tensor) -> Tensor:
        """This process's part of every batch, batches x batch size (x any) -> batches x batch size / count (x any).

        Raises UsageError when a batch cannot be shared out equally.
        """
        size = batches.shape[1]
        if size % self.count:
            raise UsageError(
                f"a batch of {size} images cannot be shared equally by {self.count} processes: "
                f"start a number of processes that divides {size}."
            )
        return batches[:, self.rank :: self.count]

    def average_(self, values: Tensor) -> None:
        """Replace `values` by their mean over all processes, the same bits in each of them."""
        if self.count > 1:
            dist.all_reduce(values)
            values.div_(self.count)

    def sum_(self, values: Tensor) -> None:
        """Replace `values` by their sum over all processes."""
        if self.count > 1:
            dist.all_reduce(values)

    def broadcast_(self, tensors: Iterable[Tensor]) -> None:
        """Give these tensors, in every process, the values that they have in the first."""
        if self.count > 1:
            for tensor in tensors:
                dist.broadcast(tensor, src=0)

    def from_first(self, decide: Callable[[], T]) -> T:
        """What `decide` returns in the first process, the only one that calls it, for all of them."""
        if self.count == 1:
            return decide()
        said = [decide() if self.is_first else None]
        dist.broadcast_object_list(said, src=0)
        return said[0]  # type: ignore[return-value]


ALONE = Processes()


def launched() -> bool:
    """Whether this process is one of those that torchrun, or what sets the same variables, has started."""
    return {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= set(os.environ)


@contextmanager
def together(device: str) -> Iterator[Processes]:
    """Meet the other processes: over NCCL, with one GPU each, on `cuda`; over Gloo on `cpu`.

    Raises UsageError when there are more processes on this machine than GPUs.
    """
    if device == "cuda":
        own, there = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
        if own >= there:
            raise UsageError(
                f"process {own + 1} of this machine finds {there} GPUs: start at most one process per GPU."
            )
        torch.cuda.set_device(own)
    store, rank, count = next(dist.rendezvous("env://"))  # type: ignore[attr-defined]
    store = meet(store, Processes(rank, count))
    dist.init_process_group("nccl" if device == "cuda" else "gloo", store=store, rank=rank, world_size=count)
    try:
        yield Processes(rank, count)
    finally:
        dist.destroy_process_group()


def meet(store: "Store", processes: Processes) -> "Store":
    """A part of the store that only the processes of this attempt use, once all of them are there.

    torchrun keeps one store over all restarts: the addresses of processes that are gone are still in it, and would
    be taken for those of the new ones. So the first process names the attempt, and an attempt counts once the
    first has confirmed the very process that asks. Raises TrainingError, or what the store raises,
    when a process does not come in time.
    """
    own = secrets.token_hex(8)
    if processes.is_first:
        store.set("attempt", own)
        there = [store.get(f"{own}/{other}").decode() for other in range(1, processes.count)]
        store.set(f"{own}/met", " ".join(there))
        return dist.PrefixStore(own, store)  # type: ignore[attr-defined]
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        attempt = store.get("attempt").decode()
        store.set(f"{attempt}/{processes.rank}", own)
        if store.check([f"{attempt}/met"]) and own in store.get(f"{attempt}/met").decode().split():
            return dist.PrefixStore(attempt, store)  # type: ignore[attr-defined]
        time.sleep(POLL_SECONDS)
    raise TrainingError("the first process did not come: start all of them again with the same command.")
