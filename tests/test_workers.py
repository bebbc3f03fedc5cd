import os
import sys
import time
from typing import Any

import pytest

from transferkit.errors import UsageError
from transferkit.training.workers import default_workers, local_workers, visible_gpus


def my_gpu(_: int) -> str:
    time.sleep(0.2)  # so that no process takes two
    return os.environ.get("CUDA_VISIBLE_DEVICES", "")


def test_each_worker_sees_one_gpu_of_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-8a")
    assert visible_gpus() == ("3", "GPU-8a")
    with local_workers(2) as pool:
        assert set(pool.map(my_gpu, range(6))) == {"3", "GPU-8a"}


def test_one_gpu_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    with local_workers(1) as pool:
        assert list(pool.map(my_gpu, range(1))) == ["5"]


def test_there_is_one_worker_per_core_and_one_per_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    assert default_workers("cuda") == 3
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_gpus() == ("0", "1", "2")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 4})
    assert default_workers("cpu") == 3


def test_no_workers_are_refused() -> None:
    with pytest.raises(UsageError, match="0 workers cannot train anything: ask for at least 1"), local_workers(0):
        pass


@pytest.mark.parametrize("count", [1.0, 2.5, True, "2", None])
def test_workers_are_counted_in_whole_numbers(count: Any) -> None:
    with pytest.raises(UsageError, match="workers is a whole number, not "), local_workers(count):
        pass


def where_it_came_from(_: int) -> tuple[int, bool]:
    time.sleep(0.2)  # so that no process takes two
    return os.getppid(), "torch" in sys.modules


def test_workers_of_all_pools_are_forked_from_one_process_that_has_imported_torch() -> None:
    seen = set()
    for _ in range(2):
        with local_workers(2) as pool:
            seen |= set(pool.map(where_it_came_from, range(4)))
    ((parent, has_torch),) = seen
    assert parent != os.getpid()
    assert has_torch
