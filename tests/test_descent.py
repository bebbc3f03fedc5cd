from dataclasses import replace

import pytest
import torch
from msgspec import UNSET
from torch import nn

from transferkit.config import Recipe
from transferkit.network import EightLayerNet
from transferkit.specs import small_net
from transferkit.training.optimiser import SGD, weights_in

RECIPE = Recipe(epochs=1, batch_size=4, learning_rate=0.1, weight_decay=0.01, bias_rate=2.0)


def network(frozen: tuple[str, ...] = ()) -> EightLayerNet:
    built = EightLayerNet(small_net(), 4)
    built.initialise(lambda layer: ("test", layer), he=True)
    built.freeze(frozen)
    return built


def loss_of(built: EightLayerNet, optimiser: SGD, images: torch.Tensor) -> torch.Tensor:
    dtype = optimiser.weights["conv1.weight"].dtype
    logits: torch.Tensor = built(images.to(dtype), weights=optimiser.weights)
    return logits.float().square().sum()


@pytest.mark.parametrize(("nesterov", "of_conv1"), [(True, None), (False, None), (True, 3.0)])
def test_a_float32_step_is_that_of_torch(nesterov: bool, of_conv1: float | None) -> None:
    recipe = replace(RECIPE, nesterov=nesterov, conv1_decay=of_conv1 or UNSET)
    ours, theirs = network(), network()
    optimiser = SGD(ours, recipe, "float32")
    named = list(theirs.named_parameters())
    optimizer = torch.optim.SGD(
        [
            {"params": [named[0][1]], "weight_decay": of_conv1 or 0.01, "lr": 1e-4},
            {"params": [p for name, p in named[1:] if name.endswith("weight")], "weight_decay": 0.01, "lr": 1e-4},
            {"params": [p for name, p in named if name.endswith("bias")], "weight_decay": 0.0, "lr": 2e-4},
        ],
        momentum=0.9, nesterov=nesterov,
    )  # fmt: skip
    images = torch.randn(4, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    for _ in range(3):
        optimiser.step(loss_of(ours, optimiser, images), 1e-4)
        optimizer.zero_grad()
        theirs(images).square().sum().backward()
        optimizer.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-7)


def test_a_frozen_conv1_takes_no_decay_of_its_own() -> None:
    built = network(("conv1",))
    before = built.get_parameter("conv1.weight").clone()
    optimiser = SGD(built, replace(RECIPE, conv1_decay=3.0), "float32")
    optimiser.step(loss_of(built, optimiser, torch.ones(2, 3, 48, 48)), 1e-3)
    assert torch.equal(built.get_parameter("conv1.weight"), before)


def test_what_is_frozen_never_moves_and_the_copies_follow_what_is_trained() -> None:
    built = network(("conv1", "conv2"))
    before = {name: parameter.clone() for name, parameter in built.named_parameters()}
    optimiser = SGD(built, RECIPE, "bfloat16")
    optimiser.step(loss_of(built, optimiser, torch.ones(2, 3, 48, 48)), 1e-3)
    for name, parameter in built.named_parameters():
        assert torch.equal(parameter, before[name]) == name.startswith(("conv1", "conv2")), name
        assert torch.equal(optimiser.weights[name], parameter.to(torch.bfloat16))


def test_steps_too_small_for_bfloat16_add_up() -> None:
    built = network()
    optimiser = SGD(built, replace(RECIPE, weight_decay=0.0, momentum=0.0, nesterov=False), "bfloat16")
    start = built.get_parameter("fc8.bias").clone()
    for _ in range(50):
        optimiser.step(optimiser.weights["fc8.bias"].sum() + 0 * sum(w.sum() for w in optimiser.weights.values()), 1e-4)
    moved = start - built.get_parameter("fc8.bias")
    assert torch.allclose(moved, torch.full_like(moved, 50 * 1e-4 * 2.0))


def test_normalisation_stays_in_float32() -> None:
    first, second, third, fourth, fifth = small_net().convs
    spec = replace(small_net(), convs=(replace(first, norm="batch"), second, third, fourth, fifth))
    weights = weights_in(EightLayerNet(spec, 4), "bfloat16")
    assert weights["conv1_norm.weight"].dtype == torch.float32
    assert weights["conv1.weight"].dtype == torch.bfloat16
    assert isinstance(weights_in(EightLayerNet(spec, 4), "float32")["conv1.weight"], nn.Parameter)
