"""Folds, and the heads that are trained in them: nothing of the pictures that a head is measured on enters it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course.practice.features import drawn_network, given_network, pool
from course.practice.folds import check_folds, divide, write_fold
from course.practice.heads import answer
from course.practice.pictures import Pictures, find_pictures, open_pictures
from tests.practice.conftest import MakeFolder
from transferkit.disk.prepared import read_manifest
from transferkit.errors import DataError, UsageError
from transferkit.network import build
from transferkit.network.torchvision_nets import find_net


@given(st.integers(2, 5), st.integers(2, 4), st.integers(10, 25), st.integers(0, 99), st.integers(0, 8))
@settings(max_examples=25)
def test_every_picture_is_validated_once_beside_its_copies(
    folds: int, classes: int, pictures: int, seed: int, copied: int
) -> None:
    labels = np.repeat(np.arange(classes), pictures)
    copies = np.arange(len(labels))
    copies[1 : 1 + copied] = copies[0]  # of one class, as copies mostly are
    fold_of = divide(labels, copies, folds, seed)
    assert {*fold_of.tolist()} == set(range(folds))
    assert len({*fold_of[copies == 0].tolist()}) == 1
    for label in range(1, classes):  # the class with copies cannot be spread more evenly than they allow
        counts = np.bincount(fold_of[labels == label], minlength=folds)
        assert counts.max() - counts.min() <= 1
    assert np.array_equal(fold_of, divide(labels, copies, folds, seed))


def test_a_fold_is_a_prepared_set_with_its_pictures_validated_last(tiny_folder: Path, tmp_path: Path) -> None:
    pictures = open_pictures(tiny_folder, 48, 3)
    fold_of = divide(pictures.labels, pictures.copies, 3, seed=1)
    folder = write_fold(pictures, fold_of, 2, tmp_path / "fold")
    manifest = read_manifest(folder)
    valid = np.load(folder / "images.npy")[slice(*manifest.valid)]
    assert np.array_equal(valid, pictures.images[np.flatnonzero(fold_of == 2)])
    before = (folder / "images.npy").stat().st_mtime_ns
    assert write_fold(pictures, fold_of, 2, folder) == folder
    assert (folder / "images.npy").stat().st_mtime_ns == before


def test_a_head_learns_from_its_training_rows_alone() -> None:
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 40)
    features = generator.normal(size=(120, 8)).astype(np.float32)
    features[:, 0] += 6 * labels
    train, valid = np.arange(0, 120, 2), np.arange(1, 120, 2)
    told, strength = answer(features, labels, np.arange(120), train, valid)
    assert (told == labels[valid]).mean() > 0.9
    other = features.copy()
    other[valid[1:]] = 100  # another picture to validate changes nothing for the first one
    again, same = answer(other, np.where(np.isin(np.arange(120), valid), 0, labels), np.arange(120), train, valid)
    assert (again[0], same) == (told[0], strength)


def test_noise_gives_a_head_no_more_than_chance() -> None:
    generator = np.random.default_rng(1)
    labels, features = np.repeat(np.arange(4), 50), generator.normal(size=(200, 64)).astype(np.float32)
    fold_of = divide(labels, np.arange(200), 2, 0)
    train, valid = np.flatnonzero(fold_of == 0), np.flatnonzero(fold_of == 1)
    told, _ = answer(features, labels, np.arange(200), train, valid)
    assert (told == labels[valid]).mean() < 0.4


def test_features_are_averaged_over_places_and_tokens() -> None:
    maps = torch.arange(24.0).reshape(1, 2, 3, 4)
    assert pool(maps).tolist() == [[maps[0, 0].mean().item(), maps[0, 1].mean().item()]]
    tokens = torch.arange(6.0).reshape(1, 3, 2)
    assert pool(tokens).tolist() == [[2.0, 3.0]]
    assert pool(torch.ones(2, 5)).shape == (2, 5)


@pytest.mark.parametrize("name", ["small", "resnet-small"])
def test_drawn_weights_keep_mean_and_deviation_and_nothing_else(name: str) -> None:
    spec = find_net(name, 48)
    network = build(spec, 3)
    network.initialise(lambda layer: ("given", layer), he=True)
    weights = {key: it.numpy() for key, it in network.state_dict().items() if network.layer_of(key) != spec.layers[-1]}
    images = np.random.default_rng(0).integers(0, 255, (40, 3, 48, 48)).astype(np.uint8)
    drawn = dict(drawn_network(spec, 3, weights, (0, 0), images).named_parameters())
    whole = dict(given_network(spec, 3, weights).named_parameters())
    for key in (key for key in weights if key in whole and whole[key].numel() > 500):
        one, other = drawn[key].detach().numpy(), whole[key].detach().numpy()
        assert one.std() == pytest.approx(other.std(), rel=0.15)
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.2


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ({"classes": 1}, "one class"),
        ({"classes": 0}, "no folders of pictures"),
        ({"pictures": 7}, r"class0 7.*at least 10 of each"),
        ({"pictures": 8, "copies": 6}, r"too few different pictures \(class0 8"),
    ],
)
def test_a_folder_that_cannot_be_asked_is_refused(
    folder: dict[str, int], words: str, make_folder: MakeFolder, tmp_path: Path
) -> None:
    made = make_folder(**folder)
    made.mkdir(exist_ok=True)
    with pytest.raises(DataError, match=words):
        find_pictures(str(made), tmp_path / "work", 16, 5)


def test_what_is_no_data_is_refused(tmp_path: Path, tiny_folder: Path) -> None:
    with pytest.raises(UsageError, match="neither a folder nor a data set"):
        find_pictures("nowhere", tmp_path, 48, 5)
    with pytest.raises(UsageError, match=r"prepared with 48 pixels .* read 64"):
        find_pictures(str(tiny_folder), tmp_path, 64, 5)
    with pytest.raises(UsageError, match="at least 2"):
        check_folds(1)


def test_two_classes_are_enough_and_copies_are_found(make_folder: MakeFolder, tmp_path: Path) -> None:
    found = find_pictures(str(make_folder(classes=2, pictures=10, copies=4)), tmp_path / "work", 16, 5)
    assert isinstance(found, Pictures)
    assert (len(found.labels), len({*found.copies.tolist()})) == (28, 20)
