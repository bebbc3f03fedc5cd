"""One network trained by several processes, as torchrun starts them: who is who, and what they tell each other."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from transferkit.errors import UsageError

T = TypeVar("T")


@dataclass(frozen=True)
class Ranks:
    """Process `number` of `count` that train one network together, each on its part of every batch; alone: 0 of 1.

    All of them must call the same methods in the same order. Only the first reads and writes the store.
    """

    number: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the first process, which decides for all."""
        return self.number == 0

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
        return batches[:, self.number :: self.count]

    def average_(self, values: Tensor) -> None:
        """Replace `values` by their mean over all processes, the same bits in each of them."""
        if self.count > 1:
            dist.all_reduce(values)
            values.div_(self.count)

    def add_(self, values: Tensor) -> None:
        """Replace `values` by their sum over all processes."""
        if self.count > 1:
            dist.all_reduce(values)

    def follow_(self, tensors: Iterable[Tensor]) -> None:
        """Give these tensors, in every process, the values that they have in the first."""
        if self.count > 1:
            for tensor in tensors:
                dist.broadcast(tensor, src=0)

    def told(self, decide: Callable[[], T]) -> T:
        """What `decide` returns in the first process, the only one that calls it, for all of them."""
        if self.count == 1:
            return decide()
        said = [decide() if self.leads else None]
        dist.broadcast_object_list(said, src=0)
        return said[0]  # type: ignore[return-value]


ALONE = Ranks()


def launched() -> bool:
    """Whether this process is one of those that torchrun, or what sets the same variables, has started."""
    return {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= set(os.environ)


@contextmanager
def together(device: str) -> Iterator[Ranks]:
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
    dist.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
