import re
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import torch

from transferkit.config import get_preset
from transferkit.disk.prepared import IMAGES
from transferkit.disk.store import Receipt, Store
from transferkit.errors import DataError, StoreError, TrainingError, UsageError
from transferkit.randomness import Key
from transferkit.training.data import batch_order, open_prepared
from transferkit.training.distributed import Processes
from transferkit.training.experiment import perform, perform_group, watch
from transferkit.training.loop import train
from transferkit.training.machine import choose_device, choose_precision, same_bits
from transferkit.training.study import Execution, Study, plan_study
from transferkit.training.sweep import sweep
from transferkit.treatments import LAYERS, groups_of, parse_run, plan

T = TypeVar("T")


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
        if label[0] in bases and name.split(".")[0] in LAYERS[: receipt.run.n]:
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

    def note_and_train(*arguments, **more):  # type: ignore[no-untyped-def]
        trained.append(arguments)
        return train(*arguments, **more)

    monkeypatch.setattr("transferkit.training.experiment.train", note_and_train)
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


def test_a_group_shares_one_pass_of_one_source_and_everything_else_is_alone() -> None:
    runs = plan("random0", [0, 1])
    groups = groups_of(runs)
    assert sorted(run.label for group in groups for run in group) == sorted(run.label for run in runs)
    shared = [group for group in groups if len(group) > 1]
    assert len(shared) == 12  # 2 seeds x 2 targets x sources A, B and R
    for group in shared:
        assert len({(run.seed, run.target, run.source, run.finetune) for run in group}) == 1
        assert [run.n for run in group] == list(range(1, 8))


@pytest.mark.parametrize("source", ["A", "B", "R"])
def test_what_a_group_gives_is_what_its_networks_give_alone(study: Study, tmp_path: Path, source: str) -> None:
    study = replace(study, setting=replace(study.setting, precision="float32"))
    alone = replace(study, store=Store(tmp_path / "alone"))
    group = plan("random0", [0], [f"{source}{n}B" for n in (1, 3, 5, 7)])[-4:]
    for each in (study, alone):
        for base in ("baseA", "baseB"):
            performed(each, base)
    assert perform_group(study, group) == ()
    for run in group:
        together, single = study.store.find(run, study.setting), perform(alone, run)
        assert together is not None
        assert together.times.shared_with == tuple(other.label for other in group if other != run)
        assert single.times.shared_with == ()
        assert together.final.train_loss == pytest.approx(single.final.train_loss, rel=1e-5)
        ours, theirs = study.store.weights(run, study.setting), alone.store.weights(run, study.setting)
        for name, array in ours.items():
            np.testing.assert_allclose(array, theirs[name], rtol=1e-5, atol=1e-8)


def test_one_diverging_network_of_a_group_does_not_stop_the_others(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge_at_two(network, *rest, **more):  # type: ignore[no-untyped-def]
        if network.frozen_depth == 2:
            raise TrainingError("the loss is nan at step 3.")
        return train(network, *rest, **more)

    monkeypatch.setattr("transferkit.training.experiment.train", diverge_at_two)
    group = plan("random0", [0], ["R1A", "R2A", "R3A"])[1:]
    (failure,) = perform_group(study, group)
    assert failure.run.label == "R2A"
    assert failure.reason == "R2A (random0, seed 0): the loss is nan at step 3."
    assert [study.store.find(run, study.setting) is not None for run in group] == [True, False, True]


class Pair(Processes):
    """The first of two processes, as it is before anything is shared."""

    def from_first(self, decide: Callable[[], T]) -> T:
        return decide()

    def broadcast_(self, tensors: Iterable[torch.Tensor]) -> None:
        pass


@pytest.mark.parametrize("place", ["read_half", "train"])
def test_one_of_several_processes_that_fails_ends_at_once_or_the_others_would_wait_for_it(
    study: Study, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    (group,) = groups_of([parse_run("baseA", "random0", 0)])
    monkeypatch.setattr(f"transferkit.training.experiment.{place}", fail)
    told = r"baseA \(random0, seed 0\): the memory of the GPU is full"
    (failure,) = perform_group(study, group)
    assert re.match(told, failure.reason), "alone, it is told when the others have been trained"
    with pytest.raises(TrainingError, match=told):
        perform_group(replace(study, execution=Execution(Pair(0, 2))), group)


def test_precisions_are_float32_and_bfloat16_and_auto_takes_what_the_machine_multiplies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for native, chosen in ((True, "bfloat16"), (False, "float32")):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda native=native: native)
        assert choose_precision("auto", "cpu") == chosen
        assert choose_precision("float32", "cpu") == "float32"
        assert choose_precision("bfloat16", "cpu") == "bfloat16"
    with pytest.raises(UsageError, match="'float16' is no precision: choose auto, float32 or bfloat16"):
        choose_precision("float16", "cpu")


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

    def spy(n_images: int, batch_size: int, *keys: Key) -> torch.Tensor:
        orders[label].append(keys)
        return batch_order(n_images, batch_size, *keys)

    monkeypatch.setattr("transferkit.training.loop.batch_order", spy)
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


def test_a_small_target_set_can_be_met_with_a_base_that_saw_its_whole_half(study: Study) -> None:
    full = study.setting
    small = replace(full, recipe=replace(full.recipe, images_per_class=8), source_recipe=full.recipe)
    limited = replace(study, setting=small)
    assert small.of_source == full == full.of_source
    with pytest.raises(StoreError, match="baseA has no weights"):
        performed(limited, "A3B")
    performed(study, "baseA")
    receipt = performed(limited, "A3B")
    assert np.array_equal(
        study.store.weights(receipt.run, small)["conv1.weight"],
        study.store.weights(parse_run("baseA", "random0", 0), full)["conv1.weight"],
    )
    assert receipt.setting == small


def test_the_same_bits_every_time_are_had_at_a_word(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    run, seen = parse_run("baseA", "random0", 0), []

    def look(*given: Any, **more: Any) -> Any:
        seen.append(torch.are_deterministic_algorithms_enabled())
        return train(*given, **more)

    monkeypatch.setattr("transferkit.training.experiment.train", look)
    usual = perform(study, run)
    other = replace(study, store=Store(study.store.work / "other"), execution=Execution(deterministic=True))
    kept = perform(other, run)
    assert seen == [False, True]
    assert not torch.are_deterministic_algorithms_enabled()
    assert (usual.times.deterministic, kept.times.deterministic) == (False, True)
    assert kept.checksums == usual.checksums, "on the CPU it makes no difference"


def test_what_has_no_deterministic_algorithm_is_named() -> None:
    message = (
        "max_pool2d_backward_cuda does not have a deterministic implementation, but you set "
        "'torch.use_deterministic_algorithms(True)'. You can turn off determinism just for this operation."
    )
    with (
        pytest.raises(TrainingError, match="max_pool2d_backward_cuda .*: train without --deterministic"),
        same_bits(True),
    ):
        raise RuntimeError(message)
    with pytest.raises(RuntimeError, match="another"), same_bits(True):
        raise RuntimeError("another")
    assert not torch.are_deterministic_algorithms_enabled()


def spoil(study: Study) -> None:
    """Write one byte into the images, and put it back: the file holds the same again, and has been touched."""
    path = study.prepared.folder / IMAGES
    with open(path, "r+b") as file:
        for step in (1, -1):
            file.seek(-1, 2)
            (last,) = file.read(1)
            file.seek(-1, 2)
            file.write(bytes([(last + step) % 256]))


@pytest.fixture
def own_data(study: Study, tmp_path: Path) -> Study:
    """The study on data of its own, which may be spoiled."""
    return replace(study, prepared=open_prepared(Path(shutil.copytree(study.prepared.folder, tmp_path / "data"))))


def test_a_network_whose_images_were_touched_while_it_was_trained_is_not_kept(own_data: Study) -> None:
    run = parse_run("baseA", "random0", 0)
    with pytest.raises(DataError, match="changed while networks were trained on it"):
        for snapshot in watch(own_data, run):
            if len(snapshot.log) == 1:
                spoil(own_data)
    assert own_data.store.find(run, own_data.setting) is None
    assert perform(own_data, run).final.epoch == 2, "the data are whole again, and the study may go on"


def test_nothing_is_kept_to_go_on_from_once_the_images_were_touched(own_data: Study) -> None:
    often = replace(own_data, execution=Execution(checkpoint_seconds=0))
    run = parse_run("baseA", "random0", 0)
    training = watch(often, run)
    next(training)
    spoil(often)
    with pytest.raises(DataError, match="changed while networks were trained on it"):
        list(training)
    assert often.store.checkpoint(run, often.setting) is None


def test_a_sweep_stops_when_its_images_have_changed(own_data: Study) -> None:
    with pytest.raises(DataError, match=r"images.npy has checksum"):
        for _ in sweep(own_data, plan("random0", [0], ["A1B"]), ThreadPoolExecutor(1)):
            (own_data.prepared.folder / IMAGES).write_bytes(b"other")
    assert not list(own_data.store.receipts())
