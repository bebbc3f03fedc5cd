"""A network layer by layer: its account agrees with the whole, and what a layer separates is measured honestly."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from course.lesson.anatomy import PLACES, accuracy, dissect, nearest_mean, separate
from transferkit.errors import StoreError
from transferkit.network import EightLayerNet, count_multiplications, count_parameters
from transferkit.specs import NetSpec, paper_net, small_net
from transferkit.training.data import HalfData
from transferkit.training.experiment import perform
from transferkit.training.study import Study
from transferkit.treatments import HALVES, LAYERS, parse_run

BASE = parse_run("baseA", "random0", 0)


@pytest.mark.parametrize(("spec", "classes"), [(small_net(), 40), (paper_net(), 1000)])
def test_the_layers_add_up_to_the_network(spec: NetSpec, classes: int) -> None:
    facts = dissect(spec, classes)
    assert tuple(one.layer for one in facts) == LAYERS
    assert sum(one.parameters for one in facts) == count_parameters(spec, classes)
    counts = count_multiplications(spec, classes)
    assert {one.layer: one.multiplications for one in facts} == counts
    assert facts[-1].output == str(classes)


def test_the_shapes_of_the_paper() -> None:
    outputs = {one.layer: one.output for one in dissect(paper_net(), 1000)}
    assert outputs["conv1"] == "96 x 27 x 27"
    assert outputs["conv5"] == "256 x 6 x 6"
    assert outputs["fc6"] == "4096"


def test_a_normalised_layer_counts_what_normalises_it() -> None:
    conv1, conv2, conv3, conv4, conv5 = (replace(conv, norm="batch") for conv in small_net().convs)
    spec = replace(small_net(), convs=(conv1, conv2, conv3, conv4, conv5))
    assert sum(one.parameters for one in dissect(spec, 4)) == count_parameters(spec, 4)


def test_nearest_mean_is_right_where_classes_lie_apart_and_agrees_with_numpy() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(24) % 3
    images = (60 * labels[:, None, None, None] + torch.randint(0, 50, (24, 3, 48, 48), generator=generator)).byte()
    network = EightLayerNet(small_net(), 3)
    network.initialise(lambda layer: ("test", layer), he=True)
    half = HalfData(images, labels, 3)
    found = nearest_mean(network, half, half)
    assert len(found) == len(PLACES)
    assert found[0] == 1.0
    pixels = images.numpy().reshape(24, -1).astype(float)
    means = np.stack([pixels[labels.numpy() == label].mean(0) for label in range(3)])
    nearest = np.linalg.norm(pixels[:, None] - means[None], axis=2).argmin(1)
    assert found[0] == (nearest == labels.numpy()).mean()


def test_images_without_a_class_of_their_own_are_at_guessing() -> None:
    images = torch.randint(0, 256, (400, 3, 48, 48), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    network = EightLayerNet(small_net(), 4)
    network.initialise(lambda layer: ("test", layer), he=True)
    train, valid = (HalfData(part, torch.arange(200) % 4, 4) for part in images.split(200))
    assert all(abs(share - 0.25) < 0.12 for share in nearest_mean(network, train, valid))


def test_a_finished_run_is_measured_on_both_halves(study: Study) -> None:
    with pytest.raises(StoreError, match="run the sweep again"):
        separate(study, BASE, "A")
    assert len(separate(study, BASE, "A", trained=False)) == len(PLACES)
    perform(study, BASE)
    found = {half: separate(study, BASE, half) for half in HALVES}
    assert all(len(shares) == len(PLACES) and min(shares) > 0.25 for shares in found.values())
    assert found["A"][0] == separate(study, BASE, "A", trained=False)[0], "the pixels are the same"


def test_the_accuracy_is_that_of_the_receipt_and_dealt_out_labels_leave_guessing(study: Study) -> None:
    receipt = perform(study, BASE)
    assert accuracy(study, BASE) == receipt.final.top1
    dealt = [accuracy(study, BASE, shuffled=seed) for seed in range(12)]
    assert np.mean(dealt) == pytest.approx(0.25, abs=0.08)
    assert accuracy(study, BASE, shuffled=1) == dealt[1]


def test_of_larger_images_the_centre_is_read(study: Study) -> None:
    recipe = replace(study.setting.recipe, augment="crop and mirror")
    net = replace(small_net(), image_size=33, pixels="mean image")
    cropping = replace(study, setting=replace(study.setting, net=net, recipe=recipe))
    assert separate(cropping, BASE, "A", trained=False)[0] == 1.0
