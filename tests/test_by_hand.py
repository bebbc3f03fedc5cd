"""The sixty lines of lesson 04 compute what the library computes: the same weights, from the same start and order."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from benchmarks.by_hand import cells, write_experiment
from transferkit.config import get_preset
from transferkit.disk.prepared import Part
from transferkit.disk.store import Store
from transferkit.training.data import batch_order, load_half, open_prepared
from transferkit.training.experiment import perform, training_keys
from transferkit.training.study import Study, plan_study
from transferkit.training.surgery import operate
from transferkit.treatments import LAYERS, Run, parse_run

N_CLASSES = 4
WANTED: tuple[tuple[Part, int | None], ...] = (("train", 5), ("train", None), ("valid", None))
BASE_A, BASE_B, A4B = (parse_run(label, "random0", 0) for label in ("baseA", "baseB", "A4B"))


@pytest.fixture(scope="module")
def study(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The tiny data at the smoke preset in float32, with the networks of the experiment trained by the library."""
    store = Store(tmp_path_factory.mktemp("by-hand"))
    found = plan_study(open_prepared(tiny_folder), get_preset("smoke"), "cpu", store, "float32")
    for run in (BASE_A, BASE_B, A4B):
        perform(found, run)
    return found


@pytest.fixture(scope="module")
def names(study: Study) -> dict[str, Any]:
    return write_experiment(study, seed=0, train=False)


def take_weights(network: nn.Sequential, theirs: Mapping[str, torch.Tensor]) -> nn.Sequential:
    """Give a network that was written by hand the weights of the library's, layer by layer."""
    with torch.no_grad():
        for own, their in zip(network.parameters(), in_order(theirs), strict=True):
            own.copy_(their)
    return network


def in_order(weights: Mapping[str, torch.Tensor]) -> list[torch.Tensor]:
    return [weights[f"{layer}.{kind}"] for layer in LAYERS for kind in ("weight", "bias")]


def kept(study: Study, run: Run) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in study.store.weights(run, study.setting).items()}


def fresh(study: Study, run: Run, source: Mapping[str, Any] | None = None) -> dict[str, torch.Tensor]:
    return operate(study.setting.net, N_CLASSES, run, source).network.state_dict()


def order_as_the_library(run: Run) -> Callable[[int], torch.Tensor]:
    """What `torch.randperm` is to return in the epochs of a run."""
    epochs = iter(range(100))
    return lambda count: batch_order(count, 16, *training_keys(run), next(epochs)).flatten()


def refuse_other_results(study: Study, run: Run, network: nn.Sequential, top1: float) -> None:
    receipt = study.store.find(run, study.setting)
    assert receipt is not None
    assert top1 == pytest.approx(receipt.final.top1)
    for own, theirs in zip(network.parameters(), in_order(kept(study, run)), strict=True):
        torch.testing.assert_close(own.data, theirs, rtol=1e-3, atol=1e-5)


def test_the_halves_are_the_librarys(names: dict[str, Any], study: Study) -> None:
    split = study.prepared.split("random0")
    for half in ("A", "B"):
        for part, most in WANTED:
            images, labels = names["load"](half, part, most)
            expected = load_half(study.prepared, split, half, part, images_per_class=most)
            assert torch.equal(images, expected.images)
            assert torch.equal(labels, expected.labels)


def test_a_new_network_is_as_large_and_starts_as_widely_as_the_librarys(names: dict[str, Any], study: Study) -> None:
    own, theirs = names["new_network"](N_CLASSES, 5), operate(study.setting.net, N_CLASSES, BASE_A).network
    for (name, expected), tensor in zip(theirs.named_parameters(), own.parameters(), strict=True):
        assert tensor.shape == expected.shape, name
        assert tensor.std().item() == pytest.approx(expected.std().item(), rel=0.15), name
    again = names["new_network"](N_CLASSES, 5)
    assert all(map(torch.equal, own.parameters(), again.parameters()))
    assert not torch.equal(own[1][0].weight, names["new_network"](N_CLASSES, 6)[1][0].weight)


def test_from_the_same_start_and_in_the_same_order_a_base_gets_the_same_weights(
    names: dict[str, Any], study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = take_weights(names["new_network"](N_CLASSES, 0), fresh(study, BASE_B))
    monkeypatch.setattr(torch, "randperm", order_as_the_library(BASE_B))
    refuse_other_results(study, BASE_B, network, names["train"](network, "B", 0))


def test_from_the_same_start_and_in_the_same_order_a4b_gets_the_same_weights(
    names: dict[str, Any], study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = take_weights(names["new_network"](N_CLASSES, 0), kept(study, BASE_A))
    source = study.store.weights(BASE_A, study.setting)
    start = take_weights(names["new_network"](N_CLASSES, 1), fresh(study, A4B, source))
    chop = next(source for source in cells() if "deepcopy(base_a" in source)
    own_names = names | {"base_a": base, "new_network": lambda *_: start, "n_classes": N_CLASSES}
    own_names["by_hand"] = {"baseB": 0.0}
    monkeypatch.setattr(torch, "randperm", order_as_the_library(A4B))
    exec(compile(chop, "the chop", "exec"), own_names)
    refuse_other_results(study, A4B, own_names["chopped"], own_names["by_hand"]["A4B"])
    frozen = zip(own_names["chopped"][:4].parameters(), base[:4].parameters(), strict=True)
    assert all(torch.equal(own, copied) for own, copied in frozen)


def test_the_whole_experiment_runs_and_compares(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    found = write_experiment(study, seed=1)
    assert list(found["by_hand"]) == ["baseA", "baseB", "A4B"]
    assert "A4B against base B: " in capsys.readouterr().out
