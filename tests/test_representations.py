"""Features of finished and untrained networks, and networks whose statistics move though they are called frozen."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from course import figures as course_figures
from course.lesson.cka import cka_table
from course.lesson.loose_freeze import freeze_loosely
from course.lesson.networks import represent
from course.looking.activations import untrained_network
from transferkit.errors import StoreError, UsageError
from transferkit.network import MEAN_IMAGE, LayeredNet, build
from transferkit.network.torchvision_nets import find_net
from transferkit.network.weights_file import fitting
from transferkit.results import tabulate
from transferkit.session import load_network
from transferkit.specs import StagedSpec, small_net
from transferkit.training.data import load_half
from transferkit.training.experiment import perform
from transferkit.training.study import Study
from transferkit.treatments import parse_run, plan

BASE_A, A2B = parse_run("baseA", "random0", 0), parse_run("A2B", "random0", 0)


@pytest.fixture
def residual(study: Study) -> Study:
    net = find_net("resnet-small", 48)
    assert isinstance(net, StagedSpec)
    # of fewer, oneDNN 3.x crashes without AVX-512 (its issue 6035)
    return replace(study, setting=replace(study.setting, net=replace(net, arguments=(("width", 8),))))


def test_features_are_those_of_each_layer_on_the_same_validation_images(residual: Study) -> None:
    perform(residual, BASE_A)
    network = load_network(residual, BASE_A)
    features = represent(residual, network, "random0", "B", count=10)
    assert list(features) == ["stem", "layer1", "layer2", "layer3"]
    assert {len(layer) for layer in features.values()} == {10}
    kept = residual.store.weights(BASE_A, residual.setting)
    assert all(np.array_equal(tensor.numpy(), kept[name]) for name, tensor in network.state_dict().items())
    again = represent(residual, load_network(residual, BASE_A), "random0", "B", count=10)
    assert all(np.array_equal(features[layer], again[layer]) for layer in features)
    with pytest.raises(StoreError, match="baseB has no weights"):
        load_network(residual, parse_run("baseB", "random0", 0))


def same(network: LayeredNet, weights: Mapping[str, np.ndarray]) -> bool:
    state = network.state_dict()
    return state.keys() == weights.keys() and all(np.array_equal(state[name].numpy(), weights[name]) for name in state)


@pytest.fixture
def subtracting(study: Study) -> Study:
    """A study of a small network that subtracts the mean image, as the paper's does."""
    recipe = replace(study.setting.recipe, learning_rate=1e-5)  # pixels of 0..255 are 64 times as large
    return replace(study, setting=replace(study.setting, net=replace(small_net(), pixels="mean image"), recipe=recipe))


@pytest.fixture
def started(residual: Study) -> Study:
    """A study of a residual network that starts from given weights."""
    net = residual.setting.net
    assert isinstance(net, StagedSpec)
    name = residual.store.give(fitting(build(net, 7).state_dict(), net, "a file"))
    return replace(residual, setting=replace(residual.setting, net=replace(net, start=name)))


def test_a_network_that_subtracts_a_mean_image_is_finished_and_untrained_with_it(subtracting: Study) -> None:
    before = untrained_network(subtracting, BASE_A)
    for run in (BASE_A, A2B):
        perform(subtracting, run)
        network = load_network(subtracting, run)
        assert same(network, subtracting.store.weights(run, subtracting.setting))
        assert not network.training
    mean = load_network(subtracting, BASE_A).get_buffer(MEAN_IMAGE)
    assert mean.shape == (3, 48, 48)
    for untrained in (before, untrained_network(subtracting, BASE_A)):
        assert torch.equal(untrained.get_buffer(MEAN_IMAGE), mean)
        features = represent(subtracting, untrained, "random0", "B", count=10)
        assert all(np.isfinite(layer).all() for layer in features.values())


def test_the_untrained_mean_image_is_that_of_the_half_that_the_run_is_trained_on(subtracting: Study) -> None:
    means = [untrained_network(subtracting, parse_run(label, "random0", 0)).get_buffer(MEAN_IMAGE)
             for label in ("baseA", "baseB", "A2B")]  # fmt: skip
    assert not torch.equal(means[0], means[1])
    assert torch.equal(means[1], means[2])


def test_of_larger_images_the_centre_is_read(subtracting: Study) -> None:
    recipe = replace(subtracting.setting.recipe, augment="crop and mirror")
    net = replace(small_net(), pixels="mean image", image_size=33)
    cropping = replace(subtracting, setting=replace(subtracting.setting, net=net, recipe=recipe))
    network = untrained_network(cropping, BASE_A)
    features = represent(cropping, network, "random0", "A", count=4)
    images = load_half(cropping.prepared, cropping.prepared.split("random0"), "A", "valid").images
    centre = (images.float() - network.get_buffer(MEAN_IMAGE))[0, :, 7:-8, 7:-8]
    assert np.allclose(features["fc7"][0], network(centre[None], until=7).detach().numpy(), atol=1e-4)


def test_a_network_that_starts_from_given_weights_is_finished_and_untrained_with_them(started: Study) -> None:
    net = started.setting.net
    assert isinstance(net, StagedSpec)
    assert net.start
    given, state = started.store.given(net.start), untrained_network(started, BASE_A).state_dict()
    assert all(np.array_equal(state[name].numpy(), array) for name, array in given.items())
    for run in (BASE_A, A2B):
        perform(started, run)
        assert same(load_network(started, run), started.store.weights(run, started.setting))


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
    picture = course_figures.depths(tables, "tiny")
    eight, other = picture.figure.axes
    assert [label.get_text() for label in other.get_xticklabels()] == ["base", "stem", "layer1", "layer2", "layer3"]
    assert len(eight.get_xticks()) == 8
    (transfer,) = (line for line in other.get_lines() if line.get_gid() == "AnB")
    assert np.allclose(np.asarray(transfer.get_xdata(), dtype=float), [0, 1 / 4, 3 / 4])
    assert "residual, layers stem, layer1, layer2, layer3, fc" in picture.alt
    with pytest.raises(UsageError, match="no network to draw"):
        course_figures.depths({}, "tiny")


def test_a_picture_of_cka_has_a_number_for_every_pair() -> None:
    table = pd.DataFrame([[1.0, 0.25], [0.5, 0.75]], index=["a", "b"], columns=["a", "b"])
    figure = course_figures.cka({"baseA with baseB": table, "control": table}).figure
    assert len(figure.axes) == 2
    assert [text.get_text() for text in figure.axes[0].texts] == ["1.00", "0.25", "0.50", "0.75"]
    assert "each layer with its own in the other network, a 1.00, b 0.75" in course_figures.cka({"x": table}).alt
    with pytest.raises(UsageError, match="no comparison to draw"):
        course_figures.cka({})
