"""The two ways in which convolutions are computed faster than as they are written: folded, and covering."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from transferkit.nets import ConvSpec, NetSpec, paper_net, small_net
from transferkit.network import EightLayerNet, fold_filters, fold_images, initialise
from transferkit.network.covering import convolve_covering


def built(spec: NetSpec) -> EightLayerNet:
    network = EightLayerNet(spec, 10)
    initialise(network, lambda layer: ("test", layer))
    return network.eval()


@given(st.integers(1, 12), st.integers(2, 5), st.integers(0, 20), st.booleans())
def test_a_folded_convolution_gives_what_the_plain_one_gives(kernel: int, stride: int, more: int, pool: bool) -> None:
    conv = ConvSpec(4, kernel, stride, pool=pool)
    size = kernel + 2 * stride + more  # at least three outputs a side, so that there is something to pool
    generator = torch.Generator().manual_seed(kernel)
    images = torch.randn(2, 3, size, size, generator=generator, dtype=torch.float64)
    weight = torch.randn(4, 3, kernel, kernel, generator=generator, dtype=torch.float64, requires_grad=True)
    plain = F.conv2d(images, weight, stride=stride)
    folded = F.conv2d(fold_images(images, conv).permute(0, 3, 1, 2), fold_filters(weight, stride))
    if pool:
        plain, folded = F.max_pool2d(plain, 3, 2), F.max_pool2d(folded, 3, 2)
    assert torch.allclose(folded, plain)
    (one,), (other,) = (torch.autograd.grad(out.square().sum(), weight) for out in (plain, folded))
    assert torch.allclose(one, other)


@pytest.mark.parametrize("spec", [small_net(), paper_net()])
def test_folded_images_give_what_plain_ones_give(spec: NetSpec) -> None:
    network = built(spec)
    images = torch.randn(1, 3, spec.image_size, spec.image_size)
    folded = fold_images(images, spec.convs[0]).permute(0, 3, 1, 2)
    assert torch.equal(network(folded, until=3), network(images, until=3))


@given(size=st.integers(1, 3), more=st.integers(0, 2), channels=st.integers(1, 4), filters=st.integers(1, 4))
def test_a_covering_convolution_gives_what_the_plain_one_gives(
    size: int, more: int, channels: int, filters: int
) -> None:
    padding = size - 1 + more
    conv = ConvSpec(filters, kernel=2 * padding + 1, padding=padding)
    assert conv.covers(size)
    generator = torch.Generator().manual_seed(size)
    x, weight, bias = (
        torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)
        for shape in ((2, channels, size, size), (filters, channels, conv.kernel, conv.kernel), (filters,))
    )
    plain, covering = F.conv2d(x, weight, bias, padding=padding), convolve_covering(x, weight, bias)
    assert torch.allclose(covering, plain)
    assert covering.is_contiguous(memory_format=torch.channels_last)
    slopes = [torch.autograd.grad(out.square().sum(), (x, weight, bias)) for out in (plain, covering)]
    assert all(torch.allclose(one, other) for one, other in zip(*slopes, strict=True))


@pytest.mark.parametrize(
    ("conv", "covers"),
    [
        (ConvSpec(4, 3, padding=1), (True, True, False)),
        (ConvSpec(4, 5, padding=2), (True, True, True)),
        (ConvSpec(4, 1), (True, False, False)),
        (ConvSpec(4, 3), (False, False, False)),
        (ConvSpec(4, 3, padding=2), (False, False, False)),
        (ConvSpec(4, 3, padding=1, stride=2), (False, False, False)),
        (ConvSpec(4, 3, padding=1, groups=2), (False, False, False)),
    ],
)
def test_filters_cover_a_map_that_they_see_whole_from_every_place(conv: ConvSpec, covers: tuple[bool, ...]) -> None:
    assert tuple(conv.covers(size) for size in (1, 2, 3)) == covers


def test_the_last_three_convolutions_of_the_small_network_cover_their_maps() -> None:
    network, images = built(small_net()), torch.randn(2, 3, 48, 48)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(images, until=5)
    folded, conv2 = 2 * 2 * 13**2 * 32 * 243, 2 * 2 * 6**2 * 48 * 288
    assert counter.get_flop_counts()["Global"][torch.ops.aten.convolution] == folded + conv2


def test_what_was_computed_for_no_gradient_can_be_trained_afterwards() -> None:
    weight = torch.randn(7, 2, 3, 3, requires_grad=True)  # of a shape that no other test asks for
    with torch.inference_mode():
        convolve_covering(torch.randn(1, 2, 2, 2), weight, torch.zeros(7))
    convolve_covering(torch.randn(1, 2, 2, 2), weight, torch.zeros(7)).sum().backward()
    assert weight.grad is not None
