"""Filters without labels: independent components of patches of images (Bell and Sejnowski 1997)."""

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import FastICA
from sklearn.exceptions import ConvergenceWarning

from transferkit.errors import DataError
from transferkit.randomness import generator_from, seed_from

ITERATIONS = 200


def random_patches(images: NDArray[np.uint8], count: int, side: int, seed: int) -> NDArray[np.float32]:
    """`count` square patches from random places of images, uint8 N x 3 x H x W: float32 count x 3 x side x side.

    Each patch has its mean colour subtracted. Raises DataError if the images are smaller than a patch.
    """
    if min(images.shape[2:]) < side:
        raise DataError(f"images of {images.shape[2:]} pixels hold no patch of {side}: ask for smaller patches.")
    generator = generator_from("patches", seed)
    which = generator.integers(len(images), size=count)
    top = generator.integers(images.shape[2] - side + 1, size=count)
    left = generator.integers(images.shape[3] - side + 1, size=count)
    steps = np.arange(side)
    rows, columns = top[:, None, None] + steps[:, None], left[:, None, None] + steps[None, :]
    patches = images[which[:, None, None], :, rows, columns].transpose(0, 3, 1, 2).astype(np.float32)
    centred: NDArray[np.float32] = patches - patches.mean(axis=(2, 3), keepdims=True)
    return centred


def independent_components(patches: NDArray[np.float32], n_filters: int, seed: int) -> NDArray[np.float32]:
    """The `n_filters` independent components of patches, float32 n_filters x 3 x k x k, each of unit length.

    They are the basis functions: what each component adds to a patch. They come from scikit-learn's FastICA, which may
    stop before it has fully converged; their shapes hardly change after that.
    """
    flat = patches.reshape(len(patches), -1)
    analysis = FastICA(
        n_filters, max_iter=ITERATIONS, whiten="unit-variance", random_state=seed_from("ica", seed) % 2**32
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        analysis.fit(flat)
    basis = analysis.mixing_.T.reshape(n_filters, *patches.shape[1:])
    length = np.linalg.norm(basis.reshape(n_filters, -1), axis=1)
    filters: NDArray[np.float32] = (basis / length[:, None, None, None]).astype(np.float32)
    return filters
