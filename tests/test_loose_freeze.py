"""The network whose statistics move is otherwise trained as the one that the store keeps."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from msgspec import UNSET, UnsetType

from course.lesson.loose_freeze import freeze_loosely
from transferkit.config import Augment
from transferkit.disk.checkpoints import EpochLog
from transferkit.network import LayeredNet
from transferkit.network.torchvision_nets import find_net
from transferkit.training.data import HalfData
from transferkit.training.examples import Examples
from transferkit.training.experiment import perform
from transferkit.training.loop import train
from transferkit.training.study import Study
from transferkit.treatments import parse_run

BASE_A, A2B = parse_run("baseA", "random0", 0), parse_run("A2B", "random0", 0)


@pytest.fixture
def residual(study: Study) -> Study:
    return replace(study, setting=replace(study.setting, net=find_net("resnet-small", 48)))


@pytest.mark.parametrize("augment", [UNSET, "mirror"])
def test_as_many_images_are_seen_in_the_same_views_as_the_kept_network_sees(
    residual: Study, monkeypatch: pytest.MonkeyPatch, augment: Augment | UnsetType
) -> None:
    recipe = replace(residual.setting.recipe, images_per_class=8, augment=augment)
    few = replace(residual, setting=replace(residual.setting, recipe=recipe))
    seen: list[tuple[int, int]] = []

    def watched(network: LayeredNet, examples: tuple[Examples, Examples], *rest: Any) -> Iterator[EpochLog | None]:
        seen.append((len(examples[0].labels), len(examples[1].labels)))
        yield from train(network, examples, *rest)

    perform(few, BASE_A)
    monkeypatch.setattr("course.lesson.loose_freeze.train", watched)
    loose = freeze_loosely(few, A2B)
    assert seen == [(4 * 8, 4 * 8)]
    assert 0 <= loose.top1 <= 1


def test_network_and_images_are_moved_to_the_device_of_the_setting(
    residual: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[str] = []

    def placed(half: HalfData, device: str) -> HalfData:
        moved.append(device)
        return HalfData(half.images[half.rows], half.labels, half.n_classes)

    def to(self: LayeredNet, device: str, **_: object) -> LayeredNet:
        moved.append(device)
        return self

    perform(residual, BASE_A)
    source = residual.store.weights(BASE_A, residual.setting)
    monkeypatch.setattr("transferkit.disk.store.Store.weights", lambda *_: source)  # of a base trained on the GPU
    monkeypatch.setattr("course.lesson.loose_freeze.place", placed)
    monkeypatch.setattr(LayeredNet, "to", to)
    freeze_loosely(replace(residual, setting=replace(residual.setting, device="cuda")), A2B)
    assert moved == ["cuda"] * 3
