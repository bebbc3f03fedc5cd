from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from transferkit.config import Precision, Recipe
from transferkit.disk.checkpoints import EpochLog
from transferkit.errors import TrainingError
from transferkit.network import EightLayerNet
from transferkit.specs import small_net
from transferkit.training.data import HalfData
from transferkit.training.examples import Examples, read_half
from transferkit.training.loop import evaluate, learning_rate, train
from transferkit.treatments import LAYERS

RECIPE = Recipe(epochs=2, batch_size=8, learning_rate=0.02)
GENTLE = replace(RECIPE, epochs=60, learning_rate=0.01)  # what any processor's rounding learns by


def half(n_images: int = 32) -> HalfData:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (n_images, 3, 48, 48), dtype=torch.uint8, generator=generator)
    return HalfData(images, torch.arange(n_images) % 4, 4)


def network(frozen: tuple[str, ...] = ()) -> EightLayerNet:
    built = EightLayerNet(small_net(), 4)
    built.initialise(lambda layer: ("test", layer), he=True)
    built.freeze(frozen)
    return built


def examples(built: EightLayerNet, n_images: int = 32) -> Examples:
    depth = built.frozen_depth
    return read_half(built, half(n_images), "float32", {depth})[depth]


def log_of(built: EightLayerNet, recipe: Recipe = RECIPE, *keys: int) -> list[EpochLog]:
    return list(train(built, (examples(built), examples(built, 16)), recipe, "float32", *keys))


def test_training_learns_its_images() -> None:
    built = network()
    log = list(train(built, (examples(built), examples(built)), GENTLE, "float32"))
    assert log[-1].train_loss < 0.2 * log[0].train_loss
    assert log[-1].top1 == 1.0


def test_the_same_keys_give_the_same_bits_and_others_do_not() -> None:
    first, again, other = (log_of(network(), RECIPE, key) for key in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("depth", [1, 4, 7])
def test_features_kept_in_memory_give_what_computing_them_each_time_gives(
    depth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = log_of(network(LAYERS[:depth]))
    monkeypatch.setattr("transferkit.training.examples.CACHE_BYTES", 0)
    assert examples(network(LAYERS[:depth])).after == 0
    computed = log_of(network(LAYERS[:depth]))
    for one, other in zip(kept, computed, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-5)


def test_one_pass_gives_the_features_of_all_depths_that_single_passes_give() -> None:
    together = read_half(network(LAYERS[:7]), half(), "float32", range(8))
    assert sorted(together) == list(range(8))
    for depth, read in together.items():
        alone = read_half(network(LAYERS[:depth]), half(), "float32", {depth})[depth]
        assert read.after == alone.after == depth
        assert torch.equal(read.inputs, alone.inputs)


def test_the_deepest_features_are_kept_first_when_not_all_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    built = network(LAYERS[:7])
    bytes_of = {depth: read.inputs.nbytes for depth, read in read_half(built, half(), "float32", {1, 7}).items()}
    monkeypatch.setattr("transferkit.training.examples.CACHE_BYTES", bytes_of[1] + bytes_of[7] - 1)
    assert {depth: read.after for depth, read in read_half(built, half(), "float32", {1, 7}).items()} == {1: 0, 7: 7}


def test_in_bfloat16_the_network_keeps_float32_weights_and_learns_as_well() -> None:
    logs = {}
    precisions: tuple[Precision, ...] = ("float32", "bfloat16")
    for precision in precisions:
        built = network()
        read = (examples(built), examples(built))
        logs[precision] = list(train(built, read, GENTLE, precision))
        assert {parameter.dtype for parameter in built.parameters()} == {torch.float32}
    assert logs["bfloat16"] != logs["float32"]
    assert logs["bfloat16"][0].train_loss == pytest.approx(logs["float32"][0].train_loss, rel=0.02)
    assert logs["bfloat16"][-1].top1 == 1.0


def test_the_rate_comes_down_to_zero_at_the_end() -> None:
    assert log_of(network())[-1].learning_rate == 0


@given(st.floats(0.01, 1), st.integers(1, 20), st.floats(0, 0.9))
def test_one_cycle_starts_low_peaks_after_the_warmup_and_ends_at_zero(peak: float, epochs: int, warmup: float) -> None:
    recipe = replace(RECIPE, learning_rate=peak, epochs=epochs, warmup=warmup)
    rates = [learning_rate(recipe, epochs * step / 200) for step in range(201)]
    assert max(rates) <= peak * (1 + 1e-9)
    assert learning_rate(recipe, epochs * warmup) == pytest.approx(peak)
    assert rates[-1] == pytest.approx(0, abs=1e-12)
    assert all(rate >= 0 for rate in rates)


def test_step_schedule_divides_by_ten_after_each_drop() -> None:
    recipe = replace(RECIPE, schedule="step", drops=(0.25, 0.5), epochs=100, learning_rate=1.0)
    assert [learning_rate(recipe, epoch) for epoch in (0, 24.9, 25, 60)] == pytest.approx([1, 1, 0.1, 0.01])


def test_biases_have_no_weight_decay() -> None:
    built = network()
    with torch.no_grad():
        built.fc8.bias.fill_(1.0)  # type: ignore[union-attr,operator]
        for parameter in built.parameters():
            parameter.mul_(1.0)
    decayed = replace(RECIPE, weight_decay=50.0, learning_rate=1e-4, momentum=0.0, nesterov=False)
    before = {name: parameter.norm().item() for name, parameter in built.named_parameters()}
    log_of(built, decayed)
    assert built.fc8.bias.norm().item() > 0.99 * before["fc8.bias"]  # type: ignore[union-attr,operator]
    assert built.fc8.weight.norm().item() < 0.99 * before["fc8.weight"]  # type: ignore[union-attr,operator]


def test_evaluation_counts_every_image_once() -> None:
    built = network()
    data = half(300)
    with torch.no_grad():
        logits = built((data.images.float() - 128) / 64)
    top1, loss = evaluate(built, examples(built, 300), dict(built.named_parameters()))
    assert top1 == pytest.approx((logits.argmax(1) == data.labels).float().mean().item())
    assert loss == pytest.approx(torch.nn.functional.cross_entropy(logits, data.labels).item(), rel=1e-4)


def test_a_loss_that_is_not_finite_is_told_with_its_step() -> None:
    with pytest.raises(TrainingError, match=r"the loss is (nan|inf) at step \d+: lower .+ --learning-rate "):
        log_of(network(), replace(RECIPE, learning_rate=1e12, epochs=4))


def test_less_than_one_batch_is_refused() -> None:
    with pytest.raises(TrainingError, match="32 training images are fewer than one batch of 64"):
        log_of(network(), replace(RECIPE, batch_size=64))
