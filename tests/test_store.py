import logging
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from transferkit.atomic import PARTIAL
from transferkit.checkpoints import EpochLog
from transferkit.config import Setting, get_preset
from transferkit.errors import StoreError
from transferkit.nets import small_net
from transferkit.store import RECEIPT, WEIGHTS, Receipt, Store, Times
from transferkit.treatments import Run

RUN = Run("random0", 0, "B", "A", 3)
SMOKE = get_preset("smoke")
SETTING = Setting("tiny", "0" * 64, SMOKE.net, SMOKE.recipe)
ARRAYS = {"conv1.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "fc8.bias": np.zeros(2, np.float32)}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def keep(store: Store, run: Run = RUN, setting: Setting = SETTING) -> Receipt:
    log = (EpochLog(1, 1.5, 0.0, 1.25, 0.5),)
    times = Times("2026-01-01T00:00:00+00:00", 1.0, 10.0)
    receipt = Receipt(run, setting, log, {"conv1.weight": "copied, frozen"}, {}, {"torch": "2"}, "a processor", times)
    return store.keep(receipt, ARRAYS)


def test_what_is_kept_is_found_again_to_the_bit(store: Store) -> None:
    receipt = keep(store)
    assert store.find(RUN, SETTING) == receipt
    weights = store.weights(RUN, SETTING)
    assert {name: array.tobytes() for name, array in weights.items()} == {n: a.tobytes() for n, a in ARRAYS.items()}


def test_everything_that_decides_a_result_is_part_of_its_folder(store: Store) -> None:
    others = [
        replace(SETTING, data_checksum="1" * 64), replace(SETTING, threads=2), replace(SETTING, device="cuda"),
        replace(SETTING, precision="bfloat16"), replace(SETTING, recipe=replace(SMOKE.recipe, epochs=9)),
        replace(SETTING, net=small_net(2)), replace(SETTING, protocol=99),
    ]  # fmt: skip
    folders = {store.run_folder(RUN, setting) for setting in [SETTING, *others]}
    folders |= {
        store.run_folder(replace(RUN, **change), SETTING) for change in ({"seed": 1}, {"split": "natural"}, {"n": 4})
    }
    assert len(folders) == 1 + len(others) + 3


def test_nothing_is_found_before_it_is_kept(store: Store) -> None:
    assert store.find(RUN, SETTING) is None
    with pytest.raises(StoreError, match="run the sweep again"):
        store.weights(RUN, SETTING)


@pytest.mark.parametrize("name", [RECEIPT, WEIGHTS])
@pytest.mark.parametrize("length", [0, 10, -1])
def test_a_truncated_file_is_set_aside_and_said_so(
    store: Store, name: str, length: int, caplog: pytest.LogCaptureFixture
) -> None:
    keep(store)
    folder = store.run_folder(RUN, SETTING)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: length if length >= 0 else -20])
    with caplog.at_level(logging.WARNING):
        assert store.find(RUN, SETTING) is None
    assert "set aside as" in caplog.text
    assert not folder.exists()
    assert folder.with_name(f"{folder.name}.damaged-1").is_dir()
    receipt = keep(store)
    assert store.find(RUN, SETTING) == receipt


def test_a_receipt_of_another_setting_is_not_taken_for_this_one(store: Store) -> None:
    keep(store)
    other = replace(SETTING, threads=2)
    store.run_folder(RUN, SETTING).rename(store.run_folder(RUN, other))
    assert store.find(RUN, other) is None


def test_weights_without_a_receipt_are_not_done_and_leftovers_go(store: Store) -> None:
    keep(store)
    folder = store.run_folder(RUN, SETTING)
    (folder / RECEIPT).unlink()
    (folder / f"{PARTIAL}{socket.gethostname()}~{2**30}~0~{RECEIPT}").write_bytes(b"half")
    assert store.find(RUN, SETTING) is None
    keep(store)
    assert sorted(item.name for item in folder.iterdir()) == [RECEIPT, WEIGHTS]


def test_a_pulse_is_read_while_training_and_gone_when_done(store: Store) -> None:
    assert store.pulse(RUN, SETTING) == 0
    store.beat(RUN, SETTING, 640)
    assert store.pulse(RUN, SETTING) == 640
    keep(store)
    assert store.pulse(RUN, SETTING) == 0
