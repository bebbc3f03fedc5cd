"""Features of finished and untrained networks, and networks whose statistics move though they are called frozen."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from transferkit import figures
from transferkit.cka import cka_table
from transferkit.errors import StoreError, UsageError
from transferkit.experiment import Study, perform
from transferkit.loose_freeze import freeze_loosely
from transferkit.nets import StagedSpec
from transferkit.network.zoo import find_net
from transferkit.representations import finished_network, represent, untrained_network
from transferkit.results import tabulate
from transferkit.treatments import parse_run, plan

BASE_A, A2B = parse_run("baseA", "random0", 0), parse_run("A2B", "random0", 0)


@pytest.fixture
def residual(study: Study) -> Study:
    net = find_net("resnet-small", 48)
    assert isinstance(net, StagedSpec)
    return replace(study, setting=replace(study.setting, net=replace(net, arguments=(("width", 4),))))


def test_features_are_those_of_each_layer_on_the_same_validation_images(residual: Study) -> None:
    perform(residual, BASE_A)
    network = finished_network(residual, BASE_A)
    features = represent(residual, network, "random0", "B", count=10)
    assert list(features) == ["stem", "layer1", "layer2", "layer3"]
    assert {len(layer) for layer in features.values()} == {10}
    kept = residual.store.weights(BASE_A, residual.setting)
    assert all(np.array_equal(tensor.numpy(), kept[name]) for name, tensor in network.state_dict().items())
    again = represent(residual, finished_network(residual, BASE_A), "random0", "B", count=10)
    assert all(np.array_equal(features[layer], again[layer]) for layer in features)
    with pytest.raises(StoreError, match="baseB has no weights"):
        finished_network(residual, parse_run("baseB", "random0", 0))


def test_the_control_is_what_the_base_started_from(study: Study) -> None:
    perform(study, BASE_A)
    untrained = untrained_network(study, BASE_A)
    first = study.store.history(BASE_A, study.setting)[0]
    assert np.array_equal(untrained.get_parameter("conv1.weight").detach().numpy(), first)
    table = cka_table(*(represent(study, untrained, "random0", half) for half in ("A", "A")))
    assert np.allclose(np.diag(table), 1)


def test_moving_statistics_break_the_freeze_and_the_audit_tells(residual: Study) -> None:
    perform(residual, BASE_A)
    loose = freeze_loosely(residual, A2B)
    assert "bn1.running_mean is frozen but moved" in loose.complaint
    assert "conv1.weight" not in loose.complaint
    assert list(loose.moved) == ["stem", "layer1"]
    assert min(loose.moved.values()) > 0
    assert 0 <= loose.top1 <= 1
    assert residual.store.find(A2B, residual.setting) is None


def test_a_loose_freeze_needs_frozen_copies_and_batch_normalisation(study: Study, residual: Study) -> None:
    perform(study, BASE_A)
    with pytest.raises(UsageError, match=r"A2B\+ freezes no copied layers"):
        freeze_loosely(residual, parse_run("A2B+", "random0", 0))
    with pytest.raises(UsageError, match="small has no batch normalisation"):
        freeze_loosely(study, A2B)


def test_networks_of_different_depths_stand_side_by_side(study: Study, residual: Study) -> None:
    tables = {}
    for name, each in (("eight layers", study), ("residual", residual)):
        runs = plan("random0", [0], ["A1B", "A3B", "B2B"], each.setting.net.layers)
        tables[name] = tabulate([perform(each, run) for run in runs])
    figure = figures.draw_depths(tables, "tiny")
    eight, other = figure.axes
    assert [label.get_text() for label in other.get_xticklabels()] == ["base", "stem", "layer1", "layer2", "layer3"]
    assert len(eight.get_xticks()) == 8
    (transfer,) = (line for line in other.get_lines() if line.get_gid() == "AnB")
    assert np.allclose(np.asarray(transfer.get_xdata(), dtype=float), [0, 1 / 4, 3 / 4])
    words = figures.describe_depths(tables, "tiny")
    assert "residual, layers stem, layer1, layer2, layer3, fc" in words
    with pytest.raises(UsageError, match="no network to draw"):
        figures.draw_depths({}, "tiny")


def test_a_picture_of_cka_has_a_number_for_every_pair() -> None:
    table = pd.DataFrame([[1.0, 0.25], [0.5, 0.75]], index=["a", "b"], columns=["a", "b"])
    figure = figures.draw_cka({"baseA with baseB": table, "control": table})
    assert len(figure.axes) == 2
    assert [text.get_text() for text in figure.axes[0].texts] == ["1.00", "0.25", "0.50", "0.75"]
    assert "each layer with its own in the other network, a 1.00, b 0.75" in figures.describe_cka({"x": table})
    with pytest.raises(UsageError, match="no comparison to draw"):
        figures.draw_cka({})
