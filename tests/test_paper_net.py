"""What the paper's network needs beyond its layers: start, mean image of a half, outputs; and its fast sister."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from transferkit.config import Setting, digest, get_preset
from transferkit.errors import StoreError, UsageError
from transferkit.network import MEAN_IMAGE, build, count_multiplications
from transferkit.specs import NetSpec, paper_net, paper_net_at_half_size, small_net
from transferkit.training.data import HalfData, load_half
from transferkit.training.examples import mean_image
from transferkit.training.experiment import perform
from transferkit.training.loop import learning_rate
from transferkit.training.study import Study
from transferkit.training.surgery import operate
from transferkit.treatments import LAYERS, Half, Run, parse_run, plan

STARTS = {  # standard deviation and bias
    "conv1": (0.01, 0), "conv2": (0.01, 1), "conv3": (0.01, 0), "conv4": (0.01, 1), "conv5": (0.01, 1),
    "fc6": (0.005, 1), "fc7": (0.005, 1), "fc8": (0.01, 0),
}  # fmt: skip


@pytest.fixture
def subtracting(study: Study) -> Study:
    """A study of a small network that subtracts the mean image, as the paper's does."""
    recipe = replace(study.setting.recipe, learning_rate=1e-5)  # pixels of 0..255 are 64 times as large
    return replace(study, setting=replace(study.setting, net=replace(small_net(), pixels="mean image"), recipe=recipe))


def mean_of(study: Study, half: Half) -> np.ndarray:
    images = load_half(study.prepared, study.prepared.split("random0"), half, "train").images
    mean: np.ndarray = images.numpy().mean(axis=0)
    return mean


def test_every_layer_starts_from_the_papers_gaussian_and_bias() -> None:
    network = build(paper_net(), 500)
    network.initialise(lambda layer: ("test", layer))
    for name, (std, bias) in STARTS.items():
        weight = network.get_parameter(f"{name}.weight")
        assert weight.std().item() == pytest.approx(std, rel=0.02)
        assert weight.mean().item() == pytest.approx(0, abs=0.02 * std)
        assert (network.get_parameter(f"{name}.bias") == bias).all()


def test_the_schedule_divides_by_ten_every_hundred_thousand_of_450_thousand_steps() -> None:
    recipe = get_preset("paper").recipe
    steps = [0, 99_999, 100_001, 200_001, 300_001, 400_001]
    rates = [learning_rate(recipe, recipe.epochs * step / 450_000) for step in steps]
    assert rates == pytest.approx([1e-2, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6])
    assert (recipe.momentum, recipe.weight_decay, recipe.batch_size, recipe.bias_rate) == (0.9, 5e-4, 256, 2.0)
    assert not recipe.nesterov


def test_the_published_thousand_outputs_or_one_for_each_class() -> None:
    with torch.device("meta"):
        assert build(paper_net(), 500).get_parameter("fc8.bias").shape == (1000,)
        assert build(replace(paper_net(), outputs=500), 500).get_parameter("fc8.bias").shape == (500,)
        with pytest.raises(UsageError, match="1001 classes do not fit into the 1000 outputs of paper"):
            build(paper_net(), 1001)


@pytest.mark.parametrize("size", [48, 64])
def test_the_mean_image_is_subtracted_in_float32_and_its_centre_from_smaller_crops(size: int) -> None:
    spec = replace(small_net(), pixels="mean image")
    mean = 255 * torch.rand(3, size, size)
    network = operate(spec, 4, Run("any", 0, "A"), mean_image=mean).network
    images = torch.randint(0, 256, (2, 3, 48, 48), dtype=torch.uint8)
    margin = (size - 48) // 2
    wanted = images - mean[:, margin : margin + 48, margin : margin + 48]
    assert torch.equal(network.to_input(network.held(images), torch.float32), wanted)
    assert torch.equal(network.to_input(network.held(images), torch.bfloat16), wanted.to(torch.bfloat16))
    conv1 = network.get_parameter("conv1.weight"), network.get_parameter("conv1.bias")
    assert torch.allclose(
        network(wanted, until=1), F.relu(F.max_pool2d(F.conv2d(wanted, *conv1, stride=3), 3, 2)), atol=1e-3
    )


def test_the_mean_image_is_that_of_all_images() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (1500, 3, 4, 4), dtype=torch.uint8, generator=generator)
    found = mean_image(HalfData(images, torch.zeros(1500, dtype=torch.int64), 1))
    assert torch.allclose(found, images.double().mean(0).float())


def test_a_copied_first_layer_keeps_the_mean_image_that_it_was_trained_with(subtracting: Study) -> None:
    runs = plan("random0", [0], ["A2B", "A2B+", "B2B", "R2B"])
    receipts = {run.label: perform(subtracting, run) for run in runs}
    kept = {run.label: subtracting.store.weights(run, subtracting.setting)[MEAN_IMAGE] for run in runs}
    means = {half: mean_of(subtracting, half) for half in ("A", "B")}
    whose = {"baseA": "A", "baseB": "B", "A2B": "A", "A2B+": "A", "B2B": "B", "R2B": "B"}
    for label, half in whose.items():
        np.testing.assert_allclose(kept[label], means[half], rtol=1e-6)
        origin = "copied" if label in ("A2B", "A2B+", "B2B") else "measured"
        assert receipts[label].account[MEAN_IMAGE] == f"{origin}, frozen"


def test_a_network_without_its_mean_image_is_refused() -> None:
    with pytest.raises(StoreError, match="baseA subtracts the mean image of half A, which was not given"):
        operate(replace(small_net(), pixels="mean image"), 4, parse_run("baseA", "any", 0))


def test_at_half_size_every_layer_above_the_first_is_the_papers() -> None:
    full, half = paper_net(), paper_net_at_half_size()
    assert half.convs[0].kernel / half.image_size == pytest.approx(full.convs[0].kernel / full.image_size, rel=0.3)
    with torch.device("meta"):
        shapes = {spec.name: shapes_of(spec) for spec in (full, half)}
    assert shapes[full.name] == shapes[half.name]
    ours, theirs = (count_multiplications(spec, 1000) for spec in (half, full))
    assert [name for name in LAYERS if ours[name] != theirs[name]] == ["conv1"]


def shapes_of(spec: NetSpec) -> list[torch.Size]:
    network = build(spec, 1000)
    images = torch.empty(1, 3, spec.image_size, spec.image_size)
    return [network(images, until=depth).shape for depth in range(1, 9)]


def test_paper_fast_says_how_it_differs_from_paper() -> None:
    fast, paper = get_preset("paper-fast"), get_preset("paper")
    assert "unlike paper" in fast.purpose
    assert fast.recipe.augment == paper.recipe.augment == "crop and mirror"
    assert str(fast.recipe.epochs) in fast.purpose
    assert str(paper.recipe.epochs) in fast.purpose


def test_receipts_of_before_are_still_found() -> None:
    quick = get_preset("quick")
    setting = Setting("photos", "0" * 64, quick.net, replace(quick.recipe, epochs=6))  # as it was then
    assert digest((parse_run("A3B", "random0", 0), setting)) == "d09526d5b246405e"
