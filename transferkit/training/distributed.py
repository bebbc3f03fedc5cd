"""Several processes that train one network together, as torchrun starts them: how they meet and what they exchange."""

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
    """Process number `rank` of `count` processes that train one network, each on its part of every batch.

    All of them must call the same methods in the same order. Only the first one reads and writes the store.
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
        self.sum_(values)
        values.div_(self.count)

    def sum_(self, values: Tensor) -> None:
        """Replace `values` by their sum over all processes."""
        if self.count > 1:
            dist.all_reduce(values)

    def broadcast_(self, tensors: Iterable[Tensor]) -> None:
        """Overwrite these tensors in every process with their values in the first."""
        if self.count > 1:
            for tensor in tensors:
                dist.broadcast(tensor, src=0)

    def from_first(self, decide: Callable[[], T]) -> T:
        """Call `decide` in the first process only; its result, in every process."""
        if self.count == 1:
            return decide()
        result = [decide() if self.is_first else None]
        dist.broadcast_object_list(result, src=0)
        return result[0]  # type: ignore[return-value]


ALONE = Processes()


def launched() -> bool:
    """Whether torchrun, or another launcher that sets the same variables, started this process."""
    return {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= set(os.environ)


@contextmanager
def together(device: str) -> Iterator[Processes]:
    """Connect this process with the others: over NCCL, with one GPU each, on `cuda`; over Gloo on `cpu`.

    Raises UsageError when this machine has more processes than GPUs.
    """
    if device == "cuda":
        gpu, gpus = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
        if gpu >= gpus:
            raise UsageError(f"process {gpu + 1} of this machine finds {gpus} GPUs: start at most one process per GPU.")
        torch.cuda.set_device(gpu)
    store, rank, count = next(dist.rendezvous("env://"))  # type: ignore[attr-defined]
    store = meet(store, Processes(rank, count))
    dist.init_process_group("nccl" if device == "cuda" else "gloo", store=store, rank=rank, world_size=count)
    try:
        yield Processes(rank, count)
    finally:
        dist.destroy_process_group()


def meet(store: "Store", processes: Processes) -> "Store":
    """Wait for all processes of this attempt; return a part of the store that only they use.

    torchrun keeps one store over all restarts, so that it still holds the addresses of processes that have ended.
    Therefore the first process names each attempt, and the others trust it only once the first has confirmed them.
    Raises TrainingError, or what the store raises, when a process does not come in time.
    """
    own = secrets.token_hex(8)
    if processes.is_first:
        store.set("attempt", own)
        others = [store.get(f"{own}/{rank}").decode() for rank in range(1, processes.count)]
        store.set(f"{own}/met", " ".join(others))
        return dist.PrefixStore(own, store)  # type: ignore[attr-defined]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        attempt = store.get("attempt").decode()
        store.set(f"{attempt}/{processes.rank}", own)
        if store.check([f"{attempt}/met"]) and own in store.get(f"{attempt}/met").decode().split():
            return dist.PrefixStore(attempt, store)  # type: ignore[attr-defined]
        time.sleep(POLL_SECONDS)
    raise TrainingError("the first process did not come: start all of them again with the same command.")
