"""Where runs are trained: processes on this machine, or a Dask cluster. Both are plain executors."""

import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.sharedctypes import Synchronized
from typing import TYPE_CHECKING

import torch

from transferkit.config import Device
from transferkit.errors import UsageError, whole
from transferkit.hardware import tie_to_parent, usable_cores

if TYPE_CHECKING:
    from distributed import Client


def default_workers(device: Device) -> int:
    """One process per usable core, each with one thread, which beats threads that share a network; or one per GPU."""
    return torch.cuda.device_count() if device == "cuda" else usable_cores()


@contextmanager
def local_workers(count: int) -> Iterator[Executor]:
    """`count` processes on this machine. An error or Ctrl-C ends them at once; if this process is killed, they end too.

    Where there are several GPUs, each process sees one of them, in turn. Raises UsageError for less than one process.
    """
    if whole("workers", count) < 1:
        raise UsageError(f"{count} workers cannot train anything: ask for at least 1.")
    gpus = visible_gpus()
    forked = sys.platform == "linux" and not gpus
    context = multiprocessing.get_context("forkserver" if forked else "spawn")
    if forked:  # from a process that imports torch once, and lives as long as this one: for a second sweep as well
        context.set_forkserver_preload(["transferkit.training.preloaded"])
    pool = ProcessPoolExecutor(count, context, initializer=_begin, initargs=(context.Value("i", 0), gpus))
    try:
        yield pool
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def cluster_workers(address: str) -> Iterator[Executor]:
    """The workers of the Dask scheduler at `address`, which must see the same work folder and have one thread each.

    An error or Ctrl-C withdraws the runs that no worker has begun; the workers finish the others. Raises UsageError
    when Dask is not installed or nothing answers there.
    """
    with _connect(address) as client, client.get_executor(pure=False) as executor:
        try:
            yield executor
        except BaseException:
            with suppress(Exception):  # a lost scheduler has nothing left to withdraw
                executor.shutdown(wait=False)  # otherwise leaving would wait for all runs that were submitted
            raise


def _connect(address: str) -> "Client":
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("--scheduler needs Dask: install transferkit with its extra 'cluster'.") from None
    try:
        return Client(address, timeout="10s")
    except (OSError, ValueError) as problem:
        raise UsageError(
            f"no Dask scheduler answers at '{address}' ({problem}): give its address, as in tcp://host:8786."
        ) from None


def visible_gpus() -> tuple[str, ...]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    if named := os.environ.get("CUDA_VISIBLE_DEVICES"):
        return tuple(name.strip() for name in named.split(","))
    return tuple(str(index) for index in range(torch.cuda.device_count()))


def _begin(number: "Synchronized[int]", gpus: tuple[str, ...]) -> None:
    """Take the next number, and with it a GPU; end when the parent ends."""
    with number.get_lock():
        mine = number.value
        number.value += 1
    if len(gpus) > 1:  # set before CUDA starts in this process, which then sees this GPU only
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus[mine % len(gpus)]
    tie_to_parent()
