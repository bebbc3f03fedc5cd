"""The three ways in which convolutions are computed faster than as written: folded, covering, and by their winners."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from transferkit.network import EightLayerNet, fast
from transferkit.network.fast import convolve_covering, fold_filters, fold_images
from transferkit.specs import ConvSpec, NetSpec, paper_net, small_net


def built(spec: NetSpec) -> EightLayerNet:
    network = EightLayerNet(spec, 10)
    network.initialise(lambda layer: ("test", layer))
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


@given(
    channels=st.integers(1, 3), kernel=st.integers(1, 9), stride=st.integers(2, 4), more=st.integers(0, 9),
    pool=st.booleans(),
)  # fmt: skip
def test_bytes_are_folded_as_numbers_are(channels: int, kernel: int, stride: int, more: int, pool: bool) -> None:
    conv = ConvSpec(4, kernel, stride, pool=pool)
    size = kernel + 2 * stride + more
    images = torch.randint(0, 256, (3, channels, size, size), generator=torch.Generator().manual_seed(size))
    folded = fold_images(images.to(torch.uint8), conv)
    assert folded.dtype == torch.uint8
    assert torch.equal(folded.long(), fold_images(images, conv))


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


def small_integers(generator: torch.Generator, *shape: int) -> Tensor:
    """Numbers of which float32 makes exact sums, in any order; channels last in memory."""
    x = torch.randint(-3, 4, shape, generator=generator).float()
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x


@given(
    images=st.integers(1, 3), channels=st.integers(1, 4), filters=st.integers(1, 5), kernel=st.integers(1, 4),
    padding=st.integers(0, 2), more=st.integers(0, 5), zeros=st.booleans(),
)  # fmt: skip
def test_winners_alone_give_the_gradient_of_all_places(
    images: int, channels: int, filters: int, kernel: int, padding: int, more: int, zeros: bool
) -> None:
    size = max(1, kernel + 2 - 2 * padding) + more  # at least three places a side, so that there is something to pool
    generator = torch.Generator().manual_seed(size)
    x, weight, bias = (
        small_integers(generator, *shape).requires_grad_()
        for shape in ((images, channels, size, size), (filters, channels, kernel, kernel), (filters,))
    )
    plain = F.max_pool2d(F.conv2d(x, weight, bias, padding=padding), 3, stride=2)
    ours = fast.convolve_and_pool(x, weight, bias, padding)
    assert torch.equal(ours, plain)
    slopes = small_integers(generator, *plain.shape) * (0 if zeros else 1)
    pairs = zip(*(torch.autograd.grad(out, (x, weight, bias), slopes) for out in (ours, plain)), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_what_is_not_finite_reaches_the_gradient() -> None:
    x, weight = torch.ones(1, 1, 4, 4), torch.ones(1, 1, 2, 2, requires_grad=True)
    for wrong in (float("nan"), float("inf")):
        pooled = fast.convolve_and_pool(x, weight, torch.zeros(1))
        (slope,) = torch.autograd.grad(pooled, weight, torch.full_like(pooled, wrong))
        assert not slope.isfinite().any()


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("where", ["image", "filter", "nowhere"])
def test_constant_images_and_what_is_not_finite_give_the_gradients_of_autograd(wrong: float, where: str) -> None:
    x, weight, bias = torch.full((2, 3, 7, 7), 0.37), torch.randn(4, 3, 3, 3), torch.zeros(4)
    if where != "nowhere":
        {"image": x, "filter": weight}[where][0, 0, 1, 1] = wrong
    given = (x.requires_grad_(), weight.requires_grad_(), bias.requires_grad_())
    plain = F.max_pool2d(F.conv2d(*given, padding=1), 3, stride=2)
    ours = fast.convolve_and_pool(*given, padding=1)
    pairs = zip(*(torch.autograd.grad(out.sum(), given) for out in (ours, plain)), strict=True)
    assert all(torch.allclose(one, other, equal_nan=True, atol=1e-5) for one, other in ((ours, plain), *pairs))


def test_only_the_gradients_that_are_asked_for_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    for name in ("gather_filters", "spread_filters"):
        monkeypatch.setattr(fast, name, lambda *arrays, name=name: called.append(name))
    monkeypatch.setattr(fast, "_compiled", lambda loop: loop)
    for x_too, weight_too, expected in ((False, True, "gather_filters"), (True, False, "spread_filters")):
        called.clear()
        x, weight = torch.ones(1, 1, 4, 4, requires_grad=x_too), torch.ones(1, 1, 2, 2, requires_grad=weight_too)
        fast.convolve_and_pool(x, weight, torch.zeros(1)).sum().backward()
        assert called == [expected]


@pytest.mark.parametrize(
    ("conv", "x", "pays"),
    [
        (ConvSpec(4, 3, pool=True), torch.empty(1, 2, 5, 5), True),
        (ConvSpec(4, 3, pool=True, norm="lrn"), torch.empty(1, 2, 5, 5), True),
        (ConvSpec(4, 3), torch.empty(1, 2, 5, 5), False),
        (ConvSpec(4, 3, pool=True, groups=2), torch.empty(1, 2, 5, 5), False),
        (ConvSpec(4, 3, pool=True, norm="batch"), torch.empty(1, 2, 5, 5), False),
        (ConvSpec(4, 3, pool=True), torch.empty(1, 2, 5, 5, dtype=torch.bfloat16), False),
        (ConvSpec(4, 3, pool=True), torch.empty(1, 2, 5, 5, device="meta"), False),
    ],
)
def test_winners_are_followed_where_pooling_alone_comes_after_the_convolution(
    conv: ConvSpec, x: Tensor, pays: bool
) -> None:
    assert fast._winners_pay(conv, x) is pays
    with torch.no_grad():
        assert not fast._winners_pay(conv, x)


@pytest.mark.parametrize("spec", [small_net(), paper_net()])
def test_a_network_learns_the_same_from_its_winners(spec: NetSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    network = built(spec)
    images = torch.randn(2, 3, spec.image_size, spec.image_size, generator=torch.Generator().manual_seed(0))

    def gradients() -> tuple[Tensor, ...]:
        out = network(images.contiguous(memory_format=torch.channels_last), until=3)
        return torch.autograd.grad(out.square().sum(), [network.get_parameter(f"conv{n}.weight") for n in (1, 2, 3)])

    ours = gradients()
    monkeypatch.setattr(network, "ways", ("folding", "covering"))
    for one, other in zip(ours, gradients(), strict=True):
        assert (one - other).abs().max() < 1e-5 * other.abs().max()


def test_loops_are_compiled_also_where_they_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def njit(cache: bool = False, **how: object) -> Callable[[Callable[..., None]], Callable[..., None]]:
        asked.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")  # as Numba says it
        return lambda loop: loop

    monkeypatch.setattr("numba.njit", njit)
    loop = fast._compiled(lambda: None)
    assert asked == [True, False]
    loop()
