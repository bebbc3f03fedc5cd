import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from tests.networks import dropping
from transferkit.errors import UsageError
from transferkit.network import EightLayerNet, build, count_multiplications, count_parameters
from transferkit.network.layered import to_input, whitened
from transferkit.specs import NetSpec, paper_net, small_net
from transferkit.treatments import LAYERS

PAPER_SHAPES = [(96, 27, 27), (256, 13, 13), (384, 13, 13), (384, 13, 13), (256, 6, 6), (4096,), (4096,), (1000,)]
SMALL_SHAPES = [(32, 6, 6), (48, 2, 2), (64, 2, 2), (64, 2, 2), (48, 2, 2), (128,), (128,), (1000,)]


def built(spec: NetSpec, n_classes: int = 10) -> EightLayerNet:
    network = EightLayerNet(spec, n_classes)
    network.initialise(lambda layer: ("test", layer))
    return network.eval()


def with_batch_norm() -> NetSpec:
    spec = small_net()
    first, second, third, fourth, fifth = (replace(conv, norm="batch") for conv in spec.convs)
    return replace(spec, convs=(first, second, third, fourth, fifth))


@pytest.mark.parametrize(("spec", "shapes"), [(small_net(), SMALL_SHAPES), (paper_net(), PAPER_SHAPES)])
def test_every_layer_has_its_output_shape(spec: NetSpec, shapes: list[tuple[int, ...]]) -> None:
    with torch.device("meta"):
        network = EightLayerNet(spec, 1000)
        images = torch.empty(2, 3, spec.image_size, spec.image_size)
        for depth, shape in enumerate(shapes, start=1):
            assert network(images, until=depth).shape == (2, *shape), LAYERS[depth - 1]


def test_the_papers_network_has_60_97_million_parameters() -> None:
    assert count_parameters(paper_net(), 1000) == 60_965_224
    with torch.device("meta"):
        network = EightLayerNet(paper_net(), 1000)
    counts = {name: sum(p.numel() for p in network.get_submodule(name).parameters()) for name in LAYERS}
    assert counts == {
        "conv1": 34_944, "conv2": 307_456, "conv3": 885_120, "conv4": 663_936, "conv5": 442_624,
        "fc6": 37_752_832, "fc7": 16_781_312, "fc8": 4_097_000,
    }  # fmt: skip


def test_the_small_network_has_the_parameters_one_can_count_by_hand() -> None:
    convolutions = 32 * (3 * 81 + 1) + 48 * (32 * 9 + 1) + 64 * (48 * 9 + 1) + 64 * (64 * 9 + 1) + 48 * (64 * 9 + 1)
    assert count_parameters(small_net(), 40) == convolutions + 128 * (48 * 4 + 1) + 128 * 129 + 40 * 129


def test_the_paper_needs_about_three_quarters_of_a_billion_multiplications() -> None:
    assert sum(count_multiplications(paper_net(), 1000).values()) == pytest.approx(1.45e9 / 2, rel=0.01)


@pytest.mark.parametrize("depth", range(9))
def test_layers_compose_at_every_chop_point(depth: int) -> None:
    network = built(small_net())
    images = torch.randn(3, 3, 48, 48)
    assert torch.equal(network(network(images, until=depth), after=depth), network(images))


def test_the_papers_network_equals_the_same_layers_written_out() -> None:
    network = built(paper_net())
    x = torch.randn(1, 3, 227, 227) * 50
    p = dict(network.named_parameters())
    y = x
    for name, stride, padding, groups, norm in (("conv1", 4, 0, 1, True), ("conv2", 1, 2, 2, True)):
        y = F.max_pool2d(
            F.relu(F.conv2d(y, p[f"{name}.weight"], p[f"{name}.bias"], stride, padding, groups=groups)), 3, 2
        )
        y = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75)(y) if norm else y
    for name, groups in (("conv3", 1), ("conv4", 2), ("conv5", 2)):
        y = F.relu(F.conv2d(y, p[f"{name}.weight"], p[f"{name}.bias"], padding=1, groups=groups))
    y = F.max_pool2d(y, 3, 2).flatten(1)
    for name in ("fc6", "fc7"):
        y = F.relu(F.linear(y, p[f"{name}.weight"], p[f"{name}.bias"]))
    assert torch.allclose(network(x), F.linear(y, p["fc8.weight"], p["fc8.bias"]), atol=1e-4)  # of numbers about 1


def test_initial_weights_have_the_spread_and_biases_of_the_spec() -> None:
    network = built(paper_net())
    for name, std, bias in (
        ("conv1", 0.01, 0),
        ("conv2", 0.01, 1),
        ("conv3", 0.01, 0),
        ("fc6", 0.005, 1),
        ("fc8", 0.01, 0),
    ):
        layer = network.get_submodule(name)
        assert layer.get_parameter("weight").std().item() == pytest.approx(std, rel=0.02)
        assert (layer.get_parameter("bias") == bias).all()


def test_initial_weights_depend_on_the_key_of_their_layer_alone() -> None:
    first, second = built(small_net()), built(small_net(), n_classes=12)
    for name in LAYERS[:-1]:
        assert torch.equal(
            first.get_submodule(name).get_parameter("weight"), second.get_submodule(name).get_parameter("weight")
        )
    second.initialise(lambda layer: ("other", layer))
    assert not torch.equal(first.conv1.weight, second.conv1.weight)  # type: ignore[arg-type,union-attr]


def test_what_is_frozen_has_no_gradient_and_no_moving_buffers_even_in_training() -> None:
    network = built(with_batch_norm())
    network.freeze(["conv1", "conv2"])
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.train()
    network(torch.randn(8, 3, 48, 48)).sum().backward()
    for name, tensor in network.state_dict().items():
        if "running" in name:
            assert torch.equal(tensor, before[name]) == (network.layer_of(name) in ("conv1", "conv2")), name
    for name, parameter in network.named_parameters():
        assert (parameter.grad is None) == (network.layer_of(name) in ("conv1", "conv2")), name


@pytest.mark.parametrize(
    ("frozen", "depth"), [((), 0), (("conv1",), 1), (("conv1", "conv2"), 2), (("conv2",), 0), (LAYERS, 8)]
)
def test_frozen_depth_counts_from_the_first_layer(frozen: tuple[str, ...], depth: int) -> None:
    network = EightLayerNet(small_net(), 10)
    network.freeze(frozen)
    assert network.frozen_depth == depth


@pytest.mark.parametrize("after", [5, 6])
def test_dropout_stays_on_after_a_frozen_layer_of_which_some_is_dropped(after: int) -> None:
    network = built(dropping())
    network.freeze(LAYERS[:7])
    network.train()
    features = network(torch.randn(4, 3, 48, 48), until=after)
    once, again = (network(features, after=after, until=after + 1) for _ in range(2))
    assert torch.equal(once, again) == (after < 6)  # a frozen fc7 reads fc6 dropped out, fc6 no dropped pixels
    assert not torch.equal(network(once, after=after + 1), network(again, after=after + 1))


@pytest.mark.parametrize(
    ("spec", "steady"),
    [(small_net(), 7), (dropping(), 6), (paper_net(), 6), (replace(dropping(), fulls=small_net().fulls), 7)],
)
def test_frozen_layers_give_the_same_in_every_step_up_to_the_first_that_reads_dropped_out_inputs(
    spec: NetSpec, steady: int
) -> None:
    with torch.device("meta"):
        network = EightLayerNet(spec, 10)
    assert [network.steady_depth(depth) for depth in range(8)] == [min(depth, steady) for depth in range(8)]


def test_only_the_last_dropout_leaves_all_copied_layers_steady() -> None:
    fc6, fc7 = small_net().fulls
    network = EightLayerNet(replace(small_net(), fulls=(fc6, replace(fc7, dropout=0.5))), 10)
    assert network.steady_depth(7) == 7


class Recorded(TorchDispatchMode):
    """Which operations were done."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.done: list[str] = []

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: object,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        self.done.append(str(func))
        return func(*args, **(kwargs or {}))


def test_imagenets_pixels_are_constants_on_the_device_and_no_part_of_the_state() -> None:
    usual, network = built(small_net()), built(replace(small_net(), pixels="imagenet"))
    images = torch.randint(0, 256, (2, 3, 48, 48), dtype=torch.uint8)
    with Recorded() as recorded:
        network.to_input(network.held(images), torch.float32)
    assert not [name for name in recorded.done if "lift" in name]  # numbers of Python, which a GPU would wait for
    assert list(network.state_dict()) == list(usual.state_dict())
    assert {buffer.device.type for buffer in network.to("meta").buffers()} == {"meta"}


def test_a_tensor_of_no_layer_is_refused() -> None:
    with pytest.raises(UsageError, match="fc9"):
        built(small_net()).layer_of("fc9.weight")


def test_weights_that_are_handed_over_are_used_instead_of_the_networks_own() -> None:
    network = built(small_net())
    images = torch.randn(2, 3, 48, 48)
    doubled = {name: 2 * weight if name.startswith("fc8") else weight for name, weight in network.named_parameters()}
    assert torch.allclose(network(images, weights=doubled), 2 * network(images))


@given(st.integers(0, 24), st.integers(0, 23), st.floats(0, 6))
def test_whitening_scales_each_wave_by_its_frequency_alone(down: int, across: int, phase: float) -> None:
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(48.0), indexing="ij")
    wave = torch.cos(2 * torch.pi * (down * y + across * x) / 48 + phase)[None, None]
    f = math.hypot(down, across) / 48
    expected = 15 * (f + 0.03) * math.exp(-((f / 0.3) ** 4)) * wave
    assert torch.allclose(whitened(wave), expected, atol=1e-4)


def test_a_whitening_network_reads_whitened_pixels() -> None:
    images = torch.randint(0, 256, (2, 3, 48, 48), dtype=torch.uint8)
    network = build(replace(small_net(), pixels="whitened"), 4)
    assert torch.allclose(network.to_input(network.held(images), torch.float32), whitened(to_input(images)), atol=1e-5)
