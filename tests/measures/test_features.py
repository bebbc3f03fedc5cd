"""What is read from bases: features of every layer, images of every class, stitches, and the table of all measures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LinearRegression

import transferkit as tk
from course.measures import features
from course.measures.cells import measure
from course.measures.features import as_units, layer_maps, see, stitch, stitched_top1, target_images, top1
from course.measures.names import KEYS, MEASURES, SELFFER
from transferkit.config import get_preset
from transferkit.disk.store import Store
from transferkit.errors import StoreError
from transferkit.network import LayeredNet, build
from transferkit.network.torchvision_nets import find_net
from transferkit.training.data import load_half, open_prepared
from transferkit.training.experiment import perform
from transferkit.training.study import Study, plan_study
from transferkit.treatments import HALVES, Run


@pytest.fixture(scope="module")
def trained(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The tiny data with both bases."""
    store = Store(tmp_path_factory.mktemp("bases"))
    study = plan_study(open_prepared(tiny_folder), get_preset("smoke"), "cpu", store, "float32")
    for half in HALVES:
        perform(study, Run("random0", 0, half))
    return study


def shuffled_channels(network: LayeredNet, layer: str, above: str, seed: int) -> LayeredNet:
    """The same function, with the units of a full layer in another order."""
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(network.get_parameter(f"{layer}.weight"))))
    with torch.no_grad():
        for name in (f"{layer}.weight", f"{layer}.bias"):
            network.get_parameter(name).copy_(network.get_parameter(name)[order])
        network.get_parameter(f"{above}.weight").copy_(network.get_parameter(f"{above}.weight")[:, order])
    return network


def test_maps_are_those_of_the_network_one_layer_at_a_time(trained: Study) -> None:
    network, (train, _) = tk.load_network(trained, "baseA"), target_images(trained, "random0", "B")
    half = load_half(trained.prepared, trained.prepared.split("random0"), "B", "train")
    maps = layer_maps(network, train)
    inputs = network.to_input(network.held(half.images), torch.float32)
    assert list(maps) == list(range(1, 9))
    for n, layer in maps.items():
        torch.testing.assert_close(layer, network(inputs, until=n).detach())


@pytest.mark.parametrize("most", [8, 13, 40])
def test_of_many_images_each_class_gives_as_many(trained: Study, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "MOST", {"train": most, "valid": 8})
    train, valid = target_images(trained, "random0", "A")
    assert np.bincount(train.labels.numpy()).tolist() == [most // 4] * 4
    assert np.bincount(valid.labels.numpy()).tolist() == [2] * 4
    whole = load_half(trained.prepared, trained.prepared.split("random0"), "A", "train")
    assert train.rows is not None
    shown = train.images[train.rows]
    assert torch.equal(shown, torch.cat([whole.images[whole.labels == label][: most // 4] for label in range(4)]))


def test_large_maps_are_averaged_over_places_and_small_ones_are_not() -> None:
    large = torch.randn(2, 100, 12, 12)
    assert as_units(large).shape == (2, 900)
    assert as_units(large).reshape(2, 100, 3, 3)[1, 7, 0, 2] == pytest.approx(float(large[1, 7, :4, 8:].mean()))
    assert np.array_equal(as_units(large[..., :3, :3]), large[..., :3, :3].flatten(1).numpy())
    tokens = torch.randn(2, 50, 64)
    torch.testing.assert_close(torch.from_numpy(as_units(tokens)), tokens.mean(dim=1))


def test_a_stitch_is_the_least_squares_map_of_every_place() -> None:
    source, target = torch.randn(20, 3, 4, 4), torch.randn(20, 5, 4, 4)
    inputs, outputs = (maps.permute(0, 2, 3, 1).flatten(0, 2).numpy() for maps in (source, target))
    known = LinearRegression().fit(inputs, outputs)
    found = stitch(source, target).numpy()
    np.testing.assert_allclose(found[:-1], known.coef_.T, atol=1e-4)
    np.testing.assert_allclose(found[-1], known.intercept_, atol=1e-4)


@pytest.mark.parametrize("n", [1, 4, 6, 7])
def test_a_base_stitched_to_itself_is_as_good_as_itself(trained: Study, n: int) -> None:
    base, images = tk.load_network(trained, "baseB"), target_images(trained, "random0", "B")
    seen, truth = see(base, images, "cpu"), images[1].labels.numpy()
    assert stitched_top1(seen, seen, base, n, truth) == pytest.approx(top1(seen.valid[8], truth), abs=1 / 32)


def test_a_stitch_undoes_another_order_of_units(trained: Study) -> None:
    base, images = tk.load_network(trained, "baseB"), target_images(trained, "random0", "B")
    other = shuffled_channels(tk.load_network(trained, "baseB"), "fc6", "fc7", seed=1)
    own, source, truth = see(base, images, "cpu"), see(other, images, "cpu"), images[1].labels.numpy()
    assert not torch.allclose(own.valid[6], source.valid[6])
    assert stitched_top1(source, own, base, 6, truth) == pytest.approx(top1(own.valid[8], truth), abs=1 / 32)


def test_a_row_for_every_target_and_n_with_the_selffer_of_every_measure(trained: Study) -> None:
    table = measure(trained, "random0", 0, [5, 7])
    assert table[["target", "n"]].to_numpy().tolist() == [["A", 5], ["A", 7], ["B", 5], ["B", 7]]
    assert list(table.columns[:7]) == [*KEYS, "top1"]
    assert set(table.columns[7:]) == {f"{name}{end}" for name in MEASURES for end in ("", SELFFER)}
    assert np.isfinite(table.drop(columns=["data", "split", "target"]).to_numpy(float)).all()
    receipt = trained.store.find(Run("random0", 0, "B"), trained.setting)
    assert receipt
    assert table["top1"].iloc[-1] == pytest.approx(receipt.final.top1)
    only = measure(trained, "random0", 0, [7], ["ridge"])
    assert list(only.columns[7:]) == ["ridge", "ridge_selffer"]
    pd.testing.assert_series_equal(only["ridge"], table.loc[table["n"] == 7, "ridge"], check_index=False)


def test_bases_that_are_not_trained_are_named(trained: Study) -> None:
    with pytest.raises(StoreError, match="baseA"):
        measure(trained, "random1", 0, [3])


def test_a_base_with_tokens_is_measured_and_stitched_token_by_token(trained: Study) -> None:
    base, images = build(find_net("vit-small", 48), 4), target_images(trained, "random0", "B")
    seen, truth = see(base, images, "cpu"), images[1].labels.numpy()
    last, middle = len(base.layers), len(base.layers) // 2
    assert seen.train[middle].ndim == 3
    assert as_units(seen.train[middle]).shape[0] == len(images[0].labels)
    assert stitched_top1(seen, seen, base, middle, truth) == pytest.approx(top1(seen.valid[last], truth), abs=1 / 32)
