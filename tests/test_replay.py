"""A step that is recorded and replayed is the step itself, or is refused; on the CPU, a recording is the work again."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from tests.test_training import RECIPE, half
from transferkit.config import Precision
from transferkit.errors import TrainingError
from transferkit.network import EightLayerNet
from transferkit.specs import NetSpec, small_net
from transferkit.training.cuda_graphs import GraphedStep, Recorder
from transferkit.training.examples import read_half
from transferkit.training.loop import train

Work = Callable[[], None]


def dropping() -> NetSpec:
    """The small net with dropout and batch normalisation, whose randomness and statistics a recording must keep."""
    net = small_net()
    one, two, three, four, five = (replace(conv, norm="batch") for conv in net.convs)
    six, seven = (replace(full, dropout=0.5) for full in net.fulls)
    return replace(net, convs=(one, two, three, four, five), fulls=(six, seven))


def trained(net: NetSpec, precision: Precision, record: Recorder | None) -> tuple[EightLayerNet, list[float]]:
    built = EightLayerNet(net, 4)
    built.initialise(lambda layer: ("test", layer), he=True)
    built.freeze(("conv1",))
    read = read_half(built, half(), precision, {1})[1]
    log = list(train(built, (read, read), RECIPE, precision, 7, record=record))
    return built, [entry.train_loss for entry in log]


def again(work: Work) -> Work:
    """What a graph does: the same work, on whatever its tensors hold then."""
    for _ in range(3):
        work()
    return work


@pytest.mark.parametrize("net", [small_net(), dropping()], ids=["plain", "dropout and batch norm"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_replayed_training_is_the_training(net: NetSpec, precision: Precision) -> None:
    usual, losses = trained(net, precision, None)
    replayed, told = trained(net, precision, again)
    near = 1e-5 if precision == "float32" else 2e-3
    assert told == pytest.approx(losses, rel=near)
    for name, tensor in usual.state_dict().items():
        difference = (replayed.state_dict()[name].double() - tensor.double()).norm()
        assert difference <= 10 * near * tensor.double().norm(), name


def test_a_recording_that_does_something_else_is_refused_and_changes_nothing() -> None:
    weight = torch.ones(3)

    def step(inputs: torch.Tensor, labels: torch.Tensor, rate: float | torch.Tensor) -> torch.Tensor:
        weight.sub_(rate * (inputs * torch.arange(1, 5)[:, None]).mean(0))
        return inputs.mean()

    def cannot(work: Work) -> Callable[[], object]:
        raise RuntimeError("not permitted when stream is capturing\nCompile with ...")

    def nothing(work: Work) -> Callable[[], object]:
        return lambda: None

    def twice(work: Work) -> Callable[[], object]:
        def both() -> None:
            work()
            work()

        return both

    def with_the_images_it_was_made_with(work: Work) -> Callable[[], object]:
        before = weight.clone()
        work()
        change = weight - before
        return lambda: weight.add_(change)

    images, labels = torch.rand(4, 3), torch.zeros(4, dtype=torch.int64)
    for wrong in (nothing, twice, with_the_images_it_was_made_with):
        with pytest.raises(TrainingError, match="does not do what the step itself does .*: train without --graphs"):
            GraphedStep(step, [weight], wrong)(images, labels, 0.1)
        assert weight.tolist() == [1, 1, 1]
    with pytest.raises(TrainingError, match=r"could not be recorded \(not permitted.*\): train without --graphs"):
        GraphedStep(step, [weight], cannot)(images, labels, 0.1)
    replay = GraphedStep(step, [weight], again)
    for rate in (0.1, 0.2):
        loss = replay(images + rate, labels, rate)
        assert loss == (images + rate).mean()
    other = 1 - sum(rate * ((images + rate) * torch.arange(1, 5)[:, None]).mean(0) for rate in (0.1, 0.2))
    torch.testing.assert_close(weight, other)
