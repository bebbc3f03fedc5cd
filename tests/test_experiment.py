from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from transferkit import experiment
from transferkit.config import get_preset
from transferkit.data import batch_rows
from transferkit.errors import DataError, StoreError, TrainingError, UsageError
from transferkit.experiment import Study, choose_device, perform, plan_study
from transferkit.network import layer_of
from transferkit.store import Receipt, Store
from transferkit.streams import Key
from transferkit.treatments import LAYERS, Run, parse_run


def performed(study: Study, label: str, seed: int = 0) -> Receipt:
    return perform(study, parse_run(label, "random0", seed))


def weights(study: Study, receipt: Receipt) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in study.store.weights(receipt.run, study.setting).items()}


@pytest.mark.parametrize("label", ["A3B", "A3B+", "B3B", "A7B", "R3B"])
def test_frozen_layers_are_bit_identical_after_training_and_fine_tuned_ones_changed(study: Study, label: str) -> None:
    bases = {half: weights(study, performed(study, f"base{half}")) for half in "AB"}
    receipt = performed(study, label)
    trained = weights(study, receipt)
    for name, content in trained.items():
        if label[0] in bases and layer_of(name) in LAYERS[: receipt.run.n]:
            assert (content == bases[label[0]][name]) == (not receipt.run.finetune), name
        elif label[0] in bases:
            assert content != bases[label[0]][name], name


def test_a_receipt_says_what_was_run_with_what_on_what_and_what_came_out(study: Study) -> None:
    receipt = performed(study, "baseA")
    assert receipt.setting == study.setting
    assert receipt.versions["torch"] == torch.__version__
    assert set(receipt.account) == set(study.store.weights(receipt.run, study.setting))
    assert [entry.epoch for entry in receipt.log] == [1, 2]
    assert receipt.final.learning_rate == 0
    assert 0 <= receipt.final.top1 <= 1
    assert receipt.times.seconds > 0
    assert receipt.device_name
    assert study.store.find(receipt.run, study.setting) == receipt


def test_two_who_want_the_same_network_at_once_train_it_once(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = []

    def train_and_keep(study: Study, run: Run) -> Receipt:
        trained.append(run)
        return original(study, run)

    original = experiment._train_and_keep
    monkeypatch.setattr(experiment, "_train_and_keep", train_and_keep)
    with ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(performed, study, "baseA", 7) for _ in range(2))
        assert first.result() == second.result()
    assert len(trained) == 1


def test_the_same_seed_gives_the_same_bits_and_another_gives_others(study: Study, tmp_path: Path) -> None:
    again = replace(study, store=Store(tmp_path / "again"))
    performed(study, "baseA", seed=1)
    for label in ("baseA", "A4B+", "R2A"):
        first, second, other = performed(study, label), performed(again, label), performed(study, label, seed=1)
        assert first.log == second.log
        assert first.checksums == second.checksums
        assert first.checksums != other.checksums


def test_what_is_kept_is_not_trained_again(study: Study) -> None:
    first = performed(study, "baseA")
    assert performed(study, "baseA").times == first.times


def test_a_copy_needs_its_base(study: Study) -> None:
    with pytest.raises(StoreError, match="run the sweep again"):
        performed(study, "A3B")


def test_a_diverging_network_is_named_and_nothing_is_kept(study: Study) -> None:
    hot = replace(study.setting.recipe, learning_rate=1e12, epochs=4)
    diverging = replace(study, setting=replace(study.setting, recipe=hot, precision="float32"))
    with pytest.raises(TrainingError, match=r"^baseA \(random0, seed 0\): the loss is \w+ at step \d+"):
        performed(diverging, "baseA")
    assert diverging.store.find(parse_run("baseA", "random0", 0), diverging.setting) is None


def test_devices_are_cpu_and_cuda_and_cuda_only_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == "cpu"
    with pytest.raises(UsageError, match=r"no CUDA device.*--device cpu or auto"):
        choose_device("cuda")
    with pytest.raises(UsageError, match="'tpu' is no device: choose auto, cpu or cuda"):
        choose_device("tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == "cuda"


def test_images_of_another_size_are_refused(study: Study) -> None:
    with pytest.raises(DataError, match="images of 48 pixels, the preset paper reads 227"):
        plan_study(study.prepared, get_preset("paper"), "cpu", study.store)


def test_paired_networks_share_the_order_of_their_images(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    orders: dict[str, list[tuple[Key, ...]]] = {}

    def spy(n_images: int, batch_size: int, *keys: Key) -> Iterator[torch.Tensor]:
        orders[label].append(keys)
        return batch_rows(n_images, batch_size, *keys)

    monkeypatch.setattr("transferkit.training.batch_rows", spy)
    for label in ("baseA", "baseB", "A3B", "B3B+", "R3B"):
        orders[label] = []
        performed(study, label)
    assert orders["A3B"] == orders["B3B+"] == orders["R3B"]
    assert orders["A3B"] != orders["baseB"] != orders["baseA"]


def test_weights_are_kept_as_float32(study: Study) -> None:
    receipt = performed(study, "baseA")
    assert {array.dtype for array in study.store.weights(receipt.run, study.setting).values()} == {np.dtype(np.float32)}


def test_a_base_keeps_the_history_of_its_first_layer_and_a_chopped_network_none(study: Study) -> None:
    base, chopped = performed(study, "baseA"), performed(study, "A3A+")
    history = study.store.history(base.run, study.setting)
    assert list(history) == [0, 1, 2]
    assert np.array_equal(history[2], study.store.weights(base.run, study.setting)["conv1.weight"])
    assert not np.array_equal(history[0], history[1])
    with pytest.raises(StoreError, match=r"A3A\+ has no history.safetensors"):
        study.store.history(chopped.run, study.setting)
