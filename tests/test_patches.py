import numpy as np
import pytest

from course.lesson.patches import independent_components, random_patches
from course.looking.kinds import count_kinds, fit_table
from transferkit.errors import DataError


def dead_leaves(n_images: int = 24, size: int = 40) -> np.ndarray:
    """Images of overlapping coloured discs: the simplest world with the edges that natural images have."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[:size, :size]
    images = np.zeros((n_images, 3, size, size), np.uint8)
    for image in images:
        for _ in range(150):
            radius, (cy, cx) = generator.uniform(2, 12), generator.uniform(0, size, 2)
            image[:, (y - cy) ** 2 + (x - cx) ** 2 < radius**2] = generator.integers(0, 255, (3, 1))
    return images


def test_patches_come_from_the_images_without_their_mean() -> None:
    images = np.arange(2 * 3 * 12 * 12, dtype=np.int64).reshape(2, 3, 12, 12) % 251
    patches = random_patches(images.astype(np.uint8), 50, 5, seed=0)
    assert patches.shape == (50, 3, 5, 5)
    assert np.abs(patches.mean(axis=(2, 3))).max() < 1e-3
    windows = np.lib.stride_tricks.sliding_window_view(images, (3, 5, 5), axis=(1, 2, 3)).reshape(-1, 3, 5, 5)
    differences = np.diff(windows, axis=-1).reshape(len(windows), -1)
    for patch in patches[:10]:
        assert (np.abs(differences - np.diff(patch, axis=-1).ravel()).max(axis=1) < 1e-3).any()


def test_components_of_a_world_of_edges_are_gabors_and_those_of_noise_are_not() -> None:
    edges = random_patches(dead_leaves(), 8000, 9, seed=0)
    noise = np.random.default_rng(0).normal(size=edges.shape).astype(np.float32)
    found = count_kinds(fit_table(independent_components(edges, 16, seed=0)))
    assert found["gabor"] + found["edge"] > 0.6 * 16
    assert count_kinds(fit_table(independent_components(noise, 16, seed=0)))["neither"] > 0.9 * 16


def test_the_same_seed_gives_the_same_components() -> None:
    patches = random_patches(dead_leaves(4), 2000, 7, seed=3)
    assert np.array_equal(independent_components(patches, 8, seed=1), independent_components(patches, 8, seed=1))


def test_images_smaller_than_a_patch_are_refused() -> None:
    with pytest.raises(DataError, match="hold no patch of 9"):
        random_patches(np.zeros((1, 3, 8, 8), np.uint8), 1, 9, seed=0)
