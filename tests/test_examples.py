"""What is kept in memory of frozen layers is what training would compute in every step."""

from collections.abc import Collection

import pytest

from tests.networks import dropping
from tests.test_training import RECIPE, half
from transferkit.disk.checkpoints import EpochLog
from transferkit.network import EightLayerNet
from transferkit.specs import NetSpec, small_net
from transferkit.training.examples import read_half
from transferkit.training.loop import train
from transferkit.treatments import LAYERS


def frozen(spec: NetSpec, depth: int) -> EightLayerNet:
    built = EightLayerNet(spec, 4)
    built.initialise(lambda layer: ("test", layer), he=True)
    built.freeze(LAYERS[:depth])
    return built


def read_depths(spec: NetSpec, depths: Collection[int]) -> dict[int, int]:
    read = read_half(frozen(spec, max(depths)), half(), "float32", depths)
    return {depth: examples.after for depth, examples in read.items()}


def trained(spec: NetSpec, depth: int) -> list[EpochLog]:
    network = frozen(spec, depth)
    read = read_half(network, half(), "float32", {depth})[depth]
    return list(train(network, (read, read), RECIPE, "float32", 7))


def test_features_of_a_layer_whose_inputs_are_dropped_out_are_not_kept_but_those_below() -> None:
    assert read_depths(small_net(), range(8)) == {depth: depth for depth in range(8)}
    assert read_depths(dropping(), range(8)) == {depth: min(depth, 6) for depth in range(8)}
    assert read_depths(dropping(), {7}) == {7: 6}


@pytest.mark.parametrize("depth", [5, 6, 7])
def test_with_dropout_kept_features_give_what_computing_them_from_the_images_gives(
    depth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = trained(dropping(), depth)
    monkeypatch.setattr("transferkit.training.examples.CACHE_BYTES", 0)
    computed = trained(dropping(), depth)
    for one, other in zip(kept, computed, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-5)
        assert one.valid_loss == pytest.approx(other.valid_loss, rel=1e-5)
