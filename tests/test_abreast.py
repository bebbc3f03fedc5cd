"""Networks trained a step of each in turn are those trained one after the other, to the bit, whatever goes wrong."""

import threading
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.networks import dropping
from tests.test_sweep import Here, checksums_of
from transferkit.abreast import perform_groups, take_turns
from transferkit.conduct import Conduct
from transferkit.errors import StoreError, TrainingError
from transferkit.nets import Net, small_net
from transferkit.store import Store
from transferkit.study import Study
from transferkit.sweep import sweep
from transferkit.training import train
from transferkit.treatments import Run, groups_of, parse_run, plan


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def can_be_had(study: Study, run: Run) -> bool:
    with study.store.claim(run, study.setting, wait=False) as mine:
        return mine


def counting(name: str, steps: int, seen: list[str]) -> Generator[None, None, str]:
    for step in range(steps):
        seen.append(f"{name}{step}")
        yield None
    return name


def test_each_takes_a_step_in_turn_until_it_has_ended() -> None:
    seen: list[str] = []
    assert take_turns([counting("a", 1, seen), counting("b", 3, seen), counting("c", 2, seen)], "cpu") == [
        "a",
        "b",
        "c",
    ]
    assert seen == ["a0", "b0", "c0", "b1", "c1", "b2"]
    assert take_turns([], "cpu") == []


def test_if_one_breaks_off_the_others_let_go() -> None:
    let_go = []

    def holding() -> Generator[None, None, None]:
        try:
            while True:
                yield None
        finally:
            let_go.append(True)

    def breaking() -> Generator[None, None, None]:
        yield None
        raise StoreError("the disk is full.")

    with pytest.raises(StoreError, match="the disk is full"):
        take_turns([holding(), breaking(), holding()], "cpu")
    assert let_go == [True, True]


@pytest.mark.parametrize("net", [small_net(), dropping()], ids=["plain", "dropout"])
def test_they_come_to_the_bits_of_each_alone_and_the_callers_numbers_stay(
    study: Study, tmp_path: Path, net: Net
) -> None:
    usual = replace(study, setting=replace(study.setting, net=net))
    abreast = replace(usual, store=Store(tmp_path / "abreast"), conduct=Conduct(abreast=3))
    runs = plan("random0", [0], ["A2B", "A4B", "A6B", "B3B+", "A3B+"])
    list(sweep(usual, runs, Here()))
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    list(sweep(abreast, runs, Here()))
    assert torch.equal(torch.rand(3), wanted)
    assert len(checksums_of(usual, runs)) == len(runs)
    assert checksums_of(abreast, runs) == checksums_of(usual, runs)
    receipts = [abreast.store.find(run, abreast.setting) for run in runs]
    numbers = {receipt.run.label: receipt.times.abreast for receipt in receipts if receipt}
    assert numbers["baseA"] == 2, "as many as there were side by side, not as were asked for"
    assert numbers["A2B"] == 3


def test_seconds_are_those_of_the_own_turns(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock goes on by a second with each step that anybody takes."""
    clock = 0.0

    def step_by_step(*arguments, **more):  # type: ignore[no-untyped-def]
        nonlocal clock
        for entry in train(*arguments, **more):
            clock += 1
            yield entry

    monkeypatch.setattr("transferkit.conduct.train", step_by_step)
    monkeypatch.setattr("time.perf_counter", lambda: clock)
    groups = groups_of(plan("random0", [0], ["baseA", "baseB"]))
    assert perform_groups(study, groups) == ()
    for (run,) in groups:
        receipt = study.store.find(run, study.setting)
        assert receipt is not None
        assert receipt.times.seconds == 2 * 4  # epochs, batches


def test_one_that_diverges_does_not_stop_the_others(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge_at_two(network, *rest, **more):  # type: ignore[no-untyped-def]
        for step, entry in enumerate(train(network, *rest, **more)):
            if network.frozen_depth == 2 and step == 3:
                raise TrainingError("the loss is nan at step 3.")
            yield entry

    monkeypatch.setattr("transferkit.conduct.train", diverge_at_two)
    runs = [run for run in plan("random0", [0], ["R1A", "R2A", "R3A", "baseB"]) if run.label != "baseA"]
    (failure,) = perform_groups(study, groups_of(runs))
    assert failure.reason == "R2A (random0, seed 0): the loss is nan at step 3."
    assert [run.label for run in runs if study.store.find(run, study.setting) is None] == ["R2A"]


def test_what_another_trains_is_waited_for_last_when_nothing_is_held(study: Study) -> None:
    """Two that hold what the other wants and wait for it would wait for ever."""
    first, second = (parse_run(label, "random0", 0) for label in ("baseA", "baseB"))
    held, done = threading.Event(), threading.Event()

    def hold(run: Run) -> None:
        with study.store.claim(run, study.setting):
            held.set()
            done.wait(60)

    other = threading.Thread(target=hold, args=(first,))
    other.start()
    held.wait(60)
    ours = threading.Thread(target=perform_groups, args=(study, ((first,), (second,))))
    ours.start()
    wait_until(lambda: study.store.find(second, study.setting) is not None)
    wait_until(lambda: can_be_had(study, second))  # it is no longer held while the first is waited for
    assert study.store.find(first, study.setting) is None
    done.set()
    for thread in (other, ours):
        thread.join(60)
    assert study.store.find(first, study.setting) is not None
