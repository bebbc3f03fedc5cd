"""torchvision's models, and small ones of its parts, as networks of named stages."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torchvision.ops import StochasticDepth

from transferkit.config import Recipe
from transferkit.errors import StoreError, TrainingError, UsageError
from transferkit.network import build, count_multiplications, count_parameters
from transferkit.network.torchvision_nets import StagedNet, build_model, find_net, net_names
from transferkit.specs import NetSpec, StagedSpec
from transferkit.training.optimiser import SGD, weights_in
from transferkit.training.surgery import Operated, audit, fingerprint, operate
from transferkit.treatments import grid, parse_run

SIZE = 32
TINY: Mapping[str, tuple[tuple[str, int], ...]] = {
    "resnet-small": (("width", 4), ("blocks", 2)),
    "vit-small": (("width", 8), ("blocks", 10)),
    "convnext-small": (("width", 4),),
}
FAMILIES = ["alexnet", "vgg11_bn", "resnet18", "resnext50_32x4d", "convnext_tiny", "vit_b_16"]
FAMILIES += ["efficientnet_b0", "mobilenet_v3_small"]


def tiny(name: str) -> StagedSpec:
    spec = find_net(name, SIZE)
    assert isinstance(spec, StagedSpec)
    return replace(spec, arguments=TINY[name]) if name != "vit-small" else deep_transformer()


def deep_transformer() -> StagedSpec:
    """Twelve stages, so that n has two digits: `vit-small` with ten blocks instead of six."""
    spec = find_net("vit-small", SIZE)
    assert isinstance(spec, StagedSpec)
    embed, *blocks, head = spec.stages
    more = [replace(blocks[0], name=f"block{i + 1}", steps=(f"encoder.layers.encoder_layer_{i}",)) for i in range(10)]
    return replace(spec, arguments=TINY["vit-small"], stages=(embed, *more, head))


def built(name: str) -> StagedNet:
    network = build(tiny(name), 4)
    assert isinstance(network, StagedNet)
    network.initialise(lambda layer: ("test", layer))
    return network.eval()


def weights_of(operated: Operated) -> dict[str, np.ndarray]:
    return {name: tensor.numpy().copy() for name, tensor in operated.network.state_dict().items()}


def pictures(count: int = 3, size: int = SIZE) -> torch.Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", [*FAMILIES, *TINY])
def test_the_stages_in_turn_give_what_torchvisions_own_forward_gives(name: str) -> None:
    size = 64 if name == "alexnet" else SIZE
    spec = find_net(name, size)
    assert isinstance(spec, StagedSpec)
    network, model = StagedNet(spec, 5).eval(), build_model(spec, 5).eval()
    model.load_state_dict(network.state_dict())
    images = pictures(2, size)
    with torch.no_grad():
        if isinstance(model, nn.Sequential):
            *stages, head = model.children()
            model = nn.Sequential(*stages, nn.Flatten(), head)
        assert torch.allclose(network(images), model(images), atol=1e-5)
    assert {network.layer_of(tensor) for tensor in network.state_dict()} <= set(spec.layers)


def test_a_plain_nets_stages_are_the_papers_layers() -> None:
    assert find_net("alexnet", 227).layers == ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8")
    assert find_net("resnet18", 224).layers == ("stem", "layer1", "layer2", "layer3", "layer4", "fc")
    assert find_net("convnext_tiny", 224).layers == ("stem", "stage1", "stage2", "stage3", "stage4", "head")
    assert len(find_net("vit_b_16", 224).layers) == 14


def test_a_residual_net_keeps_small_images_large() -> None:
    with torch.device("meta"):
        for size, after in ((48, 48), (64, 16)):
            features = build(find_net("resnet18", size), 4)(torch.empty(1, 3, size, size), until=1)
            assert features.shape[-1] == after


def test_a_network_by_another_name_or_for_larger_images_is_refused() -> None:
    with pytest.raises(UsageError, match="'resnet19' is no network: choose small.*as resnet18"):
        find_net("resnet19", 48)
    with pytest.raises(UsageError, match="alexnet cannot read images of 48 pixels"):
        find_net("alexnet", 48)
    assert isinstance(find_net("small", 48), NetSpec)
    assert {"small", "resnet-small", "resnet50", "vit_b_16"} <= set(net_names())


@pytest.mark.parametrize("name", TINY)
def test_features_of_depth_n_equal_a_partial_forward(name: str) -> None:
    network, images = built(name), pictures()
    whole = network(images)
    assert whole.shape == (3, 4)
    for depth in range(len(network.layers) + 1):
        assert torch.allclose(network(network(images, until=depth), after=depth), whole, atol=1e-6)


@pytest.mark.parametrize("name", TINY)
def test_every_tensor_is_accounted_for_exactly_once_in_every_run(name: str) -> None:
    spec = tiny(name)
    source = weights_of(operate(spec, 4, parse_run("baseA", "any", 0)))
    for run in grid("any", 0, spec.layers):
        operated = operate(spec, 4, run, source)
        assert [entry.name for entry in operated.account] == list(operated.network.state_dict())
        for entry in operated.account:
            copied = operated.network.layer_of(entry.name) in spec.layers[: run.n]
            assert entry.origin == ("re-initialised" if not copied else "random" if run.source == "R" else "copied")
            assert entry.fate == ("frozen" if copied and not run.finetune else "trained")
            if entry.origin == "copied":
                assert np.array_equal(operated.network.state_dict()[entry.name].numpy(), source[entry.name])
        parameters = dict(operated.network.named_parameters())
        trained = {entry.name for entry in operated.account if entry.fate == "trained"} & set(parameters)
        assert trained == {own for own, parameter in parameters.items() if parameter.requires_grad}


def test_labels_of_two_digits_parse_and_print_both_ways() -> None:
    runs = grid("any", 0, deep_transformer().layers)
    assert len(runs) == 2 + 11 * 10
    assert "A10B+" in [run.label for run in runs]
    for run in runs:
        assert parse_run(run.label, "any", 0) == run
    with pytest.raises(UsageError, match="A12B copies 12 layers, but this network has 12"):
        operate(deep_transformer(), 4, parse_run("A12B", "any", 0))


@settings(max_examples=10)
@given(st.integers(0, 3), st.integers(1, 3))
def test_statistics_of_a_frozen_stage_never_move_and_those_above_do(n: int, steps: int) -> None:
    network = built("resnet-small")
    network.freeze(network.layers[:n])
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    optimiser = SGD(network, Recipe(1, 4, 0.1), "float32")
    for _ in range(steps):
        network.train()
        optimiser.step(network(pictures(8), weights=optimiser.weights).square().mean(), 0.1)
        network.eval()
        network(pictures(8))
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]) == (network.layer_of(name) in network.layers[:n]), name


def test_freezing_parameters_alone_moves_statistics_and_the_audit_tells() -> None:
    spec, run = tiny("resnet-small"), parse_run("A2B", "any", 0)
    source = weights_of(operate(spec, 4, parse_run("baseA", "any", 0)))
    operated = operate(spec, 4, run, source)
    before = fingerprint(operated.network)
    operated.network.frozen = frozenset()  # what is often called freezing: requires_grad and nothing else
    operated.network.train()
    operated.network(pictures(8))
    with pytest.raises(TrainingError, match=r"bn1.running_mean is frozen but moved"):
        audit(operated, before, run.label)


@pytest.mark.parametrize("name", TINY)
def test_within_frozen_stages_nothing_is_dropped(name: str) -> None:
    network = built(name)
    for module in network.modules():
        if isinstance(module, nn.Dropout | StochasticDepth):
            module.p = 0.9
    depth = len(network.layers) - 1
    images = pictures()
    network.freeze(network.layers[:depth])
    network.train()
    assert torch.equal(network(images, until=depth), network(images, until=depth))


@pytest.mark.parametrize("name", TINY)
def test_the_same_key_draws_the_same_weights_and_leaves_torchs_generator_alone(name: str) -> None:
    torch.manual_seed(1)
    first = built(name)
    after = torch.rand(1)
    torch.manual_seed(1)
    spec = tiny(name)
    build(spec, 4)
    assert torch.equal(torch.rand(1), after)
    torch.manual_seed(2)
    again = built(name)
    assert all(torch.equal(one, other) for one, other in zip(first.parameters(), again.parameters(), strict=True))
    again.initialise(lambda layer: ("other", layer))
    assert not torch.equal(first.get_parameter(spec.first_filters), again.get_parameter(spec.first_filters))


@pytest.mark.parametrize("name", TINY)
def test_in_bfloat16_all_but_batch_normalisation_is_computed_in_copies(name: str) -> None:
    network = built(name).train()
    copies = weights_in(network, "bfloat16")
    for own, copy in copies.items():
        assert copy.dtype == (torch.float32 if network.normalises(own) else torch.bfloat16)
    assert any(map(network.normalises, copies)) == (name == "resnet-small")
    logits = network(pictures(8).to(torch.bfloat16), weights=copies)
    assert logits.dtype == torch.bfloat16
    gradients = torch.autograd.grad(logits.float().square().mean(), list(copies.values()))
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


def test_random_filters_without_normalisation_let_a_signal_of_full_size_through() -> None:
    spec = find_net("alexnet", 64)
    network = operate(spec, 4, parse_run("R5B", "any", 0)).network.eval()
    with torch.no_grad():
        for depth in range(1, 6):
            assert 0.1 < network(pictures(8, 64), until=depth).square().mean().sqrt().item() < 10


def test_a_base_can_start_from_given_weights_except_for_its_classes() -> None:
    spec = replace(tiny("resnet-small"), start="checksum")
    run = parse_run("baseB", "any", 0)
    given_weights = {name: it.numpy().copy() for name, it in build(spec, 9).state_dict().items()}  # of 9 classes
    operated = operate(spec, 4, run, given_weights)
    for entry in operated.account:
        head = entry.name.startswith("fc.")
        assert entry.origin == ("re-initialised" if head else "given")
        if not head:
            assert np.array_equal(operated.network.state_dict()[entry.name].numpy(), given_weights[entry.name])
    with pytest.raises(StoreError, match="baseB starts from given weights, which are missing"):
        operate(spec, 4, run)
    del given_weights["layer1.0.conv1.weight"]
    with pytest.raises(StoreError, match="lack layer1.0.conv1.weight: it is of another network"):
        operate(spec, 4, run, given_weights)


def test_counts_are_those_of_arithmetic() -> None:
    assert count_parameters(find_net("resnet18", 224), 1000) == 11_689_512  # as torchvision documents
    assert count_parameters(find_net("vit_b_16", 224), 1000) == 86_567_656
    counts = count_multiplications(find_net("resnet18", 224), 1000)
    assert list(counts) == list(find_net("resnet18", 224).layers)
    assert sum(counts.values()) == pytest.approx(1.81e9, rel=0.01)
    assert counts["stem"] == 112**2 * 64 * 3 * 49
