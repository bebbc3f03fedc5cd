import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from transferkit.config import Setting, get_preset
from transferkit.disk import atomic
from transferkit.disk.atomic import PARTIAL
from transferkit.disk.checkpoints import EpochLog
from transferkit.disk.store import RECEIPT, WEIGHTS, Receipt, Store, Times
from transferkit.errors import StoreError
from transferkit.specs import small_net
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


def test_what_is_set_aside_is_in_no_list_of_receipts(store: Store) -> None:
    keep(store)
    (store.run_folder(RUN, SETTING) / WEIGHTS).write_bytes(b"")
    assert store.find(RUN, SETTING) is None
    assert list(store.receipts()) == []
    receipt = keep(store)
    assert list(store.receipts()) == [receipt]


def test_a_damaged_run_that_is_being_trained_is_left_to_who_trains_it(store: Store) -> None:
    receipt = keep(store)
    folder = store.run_folder(RUN, SETTING)
    (folder / WEIGHTS).write_bytes(b"half")
    with store.claim(RUN, SETTING):
        assert store.find(RUN, SETTING) is None
        assert folder.is_dir()
        assert keep(store) == receipt
    assert store.find(RUN, SETTING) == receipt
    assert list(folder.parent.iterdir()) == [folder]


def test_a_run_that_another_process_has_just_trained_is_not_set_aside(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looked damaged while it was written, and whole once its trainer let go of it."""
    receipt = keep(store)
    weights = store.run_folder(RUN, SETTING) / WEIGHTS
    whole = weights.read_bytes()
    weights.write_bytes(b"half")

    @contextmanager
    def let_go(path: Path, wait: bool) -> Iterator[bool]:
        weights.write_bytes(whole)
        yield True

    monkeypatch.setattr("transferkit.disk.atomic.exclusive", let_go)
    assert store.find(RUN, SETTING) == receipt


def test_a_damaged_run_that_cannot_be_set_aside_is_not_found(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def denied(*_: object) -> None:
        raise PermissionError("Permission denied")

    keep(store)
    (store.run_folder(RUN, SETTING) / WEIGHTS).write_bytes(b"half")
    monkeypatch.setattr(Path, "rename", denied)
    assert store.find(RUN, SETTING) is None
    assert "cannot be set aside: Permission denied" in caplog.text


def test_who_trained_what_another_process_has_kept_leaves_it(store: Store) -> None:
    receipt = keep(store)
    weights = store.run_folder(RUN, SETTING) / WEIGHTS
    before = weights.stat().st_mtime_ns
    store.beat(RUN, SETTING, 640)
    later = replace(receipt, times=replace(receipt.times, seconds=9.0), checksums={})
    assert store.keep(later, {"fc8.bias": np.ones(2, np.float32)}) == receipt
    assert weights.stat().st_mtime_ns == before
    assert store.find(RUN, SETTING) == receipt
    assert store.pulse(RUN, SETTING) == 0


def test_a_damaged_run_that_is_written_over_is_not_done_until_it_is_whole(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = keep(store)
    folder = store.run_folder(RUN, SETTING)
    (folder / WEIGHTS).write_bytes(b"half")
    seen, write = [], atomic.write_bytes

    def look(path: Path, content: bytes) -> None:
        seen.append(store.find(RUN, SETTING))
        write(path, content)

    monkeypatch.setattr(atomic, "write_bytes", look)
    assert keep(store) == receipt
    assert seen == [None, None]
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("name", [RECEIPT, WEIGHTS])
def test_damaged_weights_are_told_in_a_sentence(store: Store, name: str) -> None:
    keep(store)
    path = store.run_folder(RUN, SETTING) / name
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(StoreError, match=r"is damaged \(.*\): run the sweep again to set it aside"):
        store.weights(RUN, SETTING)


def test_weights_without_a_receipt_are_not_read(store: Store) -> None:
    keep(store)
    (store.run_folder(RUN, SETTING) / RECEIPT).unlink()
    with pytest.raises(StoreError, match=r"A3B has no weights\.safetensors with a receipt in .*: run the sweep again"):
        store.weights(RUN, SETTING)


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


def every_number(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Where numbers stand in nested JSON."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield path
    for key, inner in pairs:
        yield from every_number(inner, (*path, key))


def test_a_receipt_with_an_edited_number_is_set_aside(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    receipt = keep(store)
    path = store.run_folder(RUN, SETTING) / RECEIPT
    whole = path.read_bytes()
    places = list(every_number(msgspec.json.decode(whole)))
    assert ("log", 0, "top1") in places
    for place in places:
        values = msgspec.json.decode(whole)
        inner = values
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] += 1
        path.write_bytes(msgspec.json.encode(values))
        assert list(store.receipts()) == [], place
    assert store.find(RUN, SETTING) is None
    assert "the receipt was edited after it was written): set aside" in caplog.text
    assert keep(store) == receipt


def test_a_receipt_is_the_same_however_its_json_is_laid_out(store: Store) -> None:
    receipt = keep(store)
    path = store.run_folder(RUN, SETTING) / RECEIPT
    values = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode(dict(reversed(values.items()))))
    assert store.find(RUN, SETTING) == receipt


def test_a_receipt_from_before_there_were_digests_is_read(store: Store) -> None:
    receipt = keep(store)
    path = store.run_folder(RUN, SETTING) / RECEIPT
    values = msgspec.json.decode(path.read_bytes())
    assert values.pop("digest")
    path.write_bytes(msgspec.json.encode(values))
    assert store.find(RUN, SETTING) == receipt
    assert list(store.receipts()) == [receipt]
