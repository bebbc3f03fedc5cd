"""Methods without learned features, on images in which only one of them has something to find."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from course.lesson.shortcuts import beside_base, shortcuts
from transferkit.disk.prepared import IMAGES, LABELS, Manifest, file_checksum, read_manifest, write_manifest
from transferkit.training.data import Prepared, open_prepared
from transferkit.training.study import Study
from transferkit.treatments import parse_run

NAMES = [
    "nearest neighbour, pixels", "nearest neighbour, 16 pixels, contrast normalised", "linear, pixels",
    "linear, colour histogram", "guessing",
]  # fmt: skip


def planted(tiny_folder: Path, folder: Path, images: np.ndarray) -> Prepared:
    """The tiny data set with other images."""
    folder.mkdir()
    np.save(folder / IMAGES, images)
    np.save(folder / LABELS, np.load(tiny_folder / LABELS))
    usual: Manifest = read_manifest(tiny_folder)
    write_manifest(folder, replace(usual, checksums={name: file_checksum(folder / name) for name in usual.checksums}))
    return open_prepared(folder)


def test_all_are_measured_on_the_half_that_is_asked_for(study: Study) -> None:
    found = shortcuts(study, "random0", "A")
    assert list(found.index) == NAMES
    assert found["guessing"] == 1 / 4
    assert found.drop("guessing").between(0.9, 1).all(), "a class of the tiny data is one picture under noise"


def test_colours_wherever_they_are_are_found_by_the_histogram_alone(
    study: Study, tiny_folder: Path, tmp_path: Path
) -> None:
    """A tenth of the pixels of an image have the colour of its class; they lie at random places of black and white."""
    labels = np.load(tiny_folder / LABELS)
    generator = np.random.default_rng(0)
    images = generator.integers(0, 2, (len(labels), 1, 48, 48)).repeat(3, axis=1) * 200
    for image, label in zip(images, labels, strict=True):
        where = generator.permutation(48 * 48)[:230]
        image.reshape(3, -1)[:, where] = 60 + 130 * np.array([[label & 1], [label >> 1 & 1], [label >> 2 & 1]])
    other = replace(study, prepared=planted(tiny_folder, tmp_path / "red", images.astype(np.uint8)))
    found = shortcuts(other, "random0", "B")
    assert found["linear, colour histogram"] == 1
    assert found["nearest neighbour, 16 pixels, contrast normalised"] < 0.6
    assert found["nearest neighbour, pixels"] < 0.6


def test_labels_dealt_out_at_random_are_guessed(study: Study, tiny_folder: Path, tmp_path: Path) -> None:
    images = np.random.default_rng(1).integers(0, 256, np.load(tiny_folder / IMAGES).shape).astype(np.uint8)
    found = shortcuts(replace(study, prepared=planted(tiny_folder, tmp_path / "noise", images)), "random0", "A")
    assert (found.drop("guessing") < 0.55).all()


def test_one_image_more_or_less_bright_is_the_same_to_the_normalised_neighbour(
    study: Study, tiny_folder: Path, tmp_path: Path
) -> None:
    images = np.load(tiny_folder / IMAGES).astype(float)
    strength = np.random.default_rng(2).uniform(0.2, 0.9, (len(images), 1, 1, 1))
    dimmed = 128 * (1 - strength) * np.random.default_rng(3).uniform(0, 1, strength.shape) + strength * images
    found = shortcuts(
        replace(study, prepared=planted(tiny_folder, tmp_path / "dim", dimmed.astype(np.uint8))), "random0", "A"
    )
    assert found["nearest neighbour, 16 pixels, contrast normalised"] >= found["nearest neighbour, pixels"]
    assert found["nearest neighbour, 16 pixels, contrast normalised"] > 0.9


def test_they_are_shown_beside_the_base(study: Study) -> None:
    table = beside_base(study, parse_run("baseA", "random0", 0), 0.42)
    assert table.loc["baseA", "top-1 (%)"] == pytest.approx(42)
    assert table["top-1 (%)"].is_monotonic_increasing
    assert len(table) == len(NAMES) + 1
