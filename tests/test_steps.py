"""What does not fit into the memory of a GPU, and what stays on the disk."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from transferkit.config import get_preset
from transferkit.disk.prepared import IMAGES, Manifest, file_checksum, read_manifest, write_manifest
from transferkit.disk.store import Store
from transferkit.errors import DataError, TrainingError
from transferkit.network import EightLayerNet
from transferkit.specs import small_net
from transferkit.training.data import batch_order, load_half, open_half, open_prepared, place, read_ahead
from transferkit.training.examples import Examples, batches, read_half
from transferkit.training.experiment import perform
from transferkit.training.study import Study, plan_study
from transferkit.treatments import parse_run


def network() -> EightLayerNet:
    built = EightLayerNet(small_net(), 4)
    built.initialise(lambda layer: ("test", layer), he=True)
    return built


def test_a_gpu_that_is_full_before_the_first_step_is_told_in_one_sentence(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nmore")

    monkeypatch.setattr("transferkit.training.experiment.place", full)
    with pytest.raises(TrainingError, match=r"memory of the GPU is full \(CUDA out of memory.*GiB.\): end what else"):
        perform(study, parse_run("baseA", "random0", 0))


@pytest.fixture
def larger_folder(tiny_folder: Path, tmp_path: Path) -> Path:
    """The tiny data set with eight pixels more in each direction."""
    folder = tmp_path / "data" / "larger"
    folder.mkdir(parents=True)
    edges = ((0, 0), (0, 0), (4, 4), (4, 4))
    np.save(folder / IMAGES, np.pad(np.load(tiny_folder / IMAGES), edges, mode="reflect"))
    (folder / "labels.npy").write_bytes((tiny_folder / "labels.npy").read_bytes())
    small: Manifest = read_manifest(tiny_folder)
    checksums = {name: file_checksum(folder / name) for name in small.checksums}
    write_manifest(folder, replace(small, name="larger", image_size=56, checksums=checksums))
    return folder


def larger_study(folder: Path, work: Path) -> Study:
    smoke = get_preset("smoke")
    recipe = replace(smoke.recipe, augment="crop and mirror")
    return plan_study(open_prepared(folder), replace(smoke, recipe=recipe), "cpu", Store(work), "float32")


@pytest.mark.parametrize("label", ["baseA", "R2A"])
def test_images_left_on_the_disk_give_the_same_bits_as_images_in_memory(
    larger_folder: Path, tmp_path: Path, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = parse_run(label, "random0", 0)
    resident = perform(larger_study(larger_folder, tmp_path / "resident"), run)
    monkeypatch.setattr("transferkit.training.data.RESIDENT_SHARE", {"cpu": 0.0})
    streamed = perform(larger_study(larger_folder, tmp_path / "streamed"), run)
    assert streamed.checksums == resident.checksums
    assert streamed.log == resident.log


def test_larger_images_are_read_at_their_centre_in_the_test_and_frozen_features_are_not_kept_under_views(
    larger_folder: Path, tiny_folder: Path
) -> None:
    built = network()
    built.freeze(["conv1"])
    halves = []
    for folder in (larger_folder, tiny_folder):
        prepared = open_prepared(folder)
        halves.append(load_half(prepared, prepared.split("random0"), "A", "valid"))
    centre, whole = (read_half(built, data, "float32", {1})[1] for data in halves)
    assert torch.equal(centre.inputs, whole.inputs)
    moving = read_half(built, halves[0], "float32", {1}, augment=True)[1]
    assert (moving.after, moving.whole, moving.inputs.shape[-1]) == (0, True, 56)


def test_larger_images_are_refused_where_no_crops_are_taken(larger_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="larger has images of 56 pixels, the preset smoke reads 48: prepare"):
        plan_study(open_prepared(larger_folder), get_preset("smoke"), "cpu", Store(tmp_path))


def test_what_fits_is_placed_in_memory_and_what_does_not_stays_on_the_disk(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = open_prepared(tiny_folder)
    opened = open_half(prepared, prepared.split("random0"), "A", "train")
    placed = place(opened, "cpu")
    assert opened.rows is not None
    assert placed.rows is None
    assert torch.equal(opened.images[opened.rows], placed.images)
    monkeypatch.setattr("transferkit.training.data.RESIDENT_SHARE", {"cpu": 0.0})
    assert place(opened, "cpu").rows is not None


def test_reading_ahead_gives_every_batch_in_order_and_can_be_left_early() -> None:
    images = torch.arange(100, dtype=torch.uint8).view(50, 2)
    order = batch_order(50, 5, "order")
    read = list(read_ahead(images, order, torch.device("cpu")))
    assert torch.equal(torch.stack(read), images[order])
    early = read_ahead(images, order, torch.device("cpu"))
    assert torch.equal(next(early), images[order[0]])
    early.close()  # type: ignore[attr-defined]


def test_a_disk_that_fails_is_not_swallowed() -> None:
    with pytest.raises((IndexError, RuntimeError)):
        list(read_ahead(torch.zeros(3, 2), torch.tensor([[1], [7]]), torch.device("cpu")))


def test_the_last_batch_may_be_short() -> None:
    examples = Examples(torch.zeros(5, 4), torch.arange(5))
    labels = [part.tolist() for _, part in batches(network(), examples, torch.arange(5).split(2), {})]
    assert labels == [[0, 1], [2, 3], [4]]
