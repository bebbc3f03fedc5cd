"""How alike two layers represent the same images: linear centred kernel alignment (Kornblith et al. 2019, CKA)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from transferkit.errors import UsageError

Features = NDArray[np.floating]


def linear_cka(one: Features, other: Features) -> float:
    """How alike two sets of features of the same images are, 0..1: float N x p and N x q, one row an image.

    1 where one is the other turned, mirrored, shifted or scaled as a whole; what a linear map of other kinds changes
    does count (equation 5 of Kornblith et al. 2019, with the linear kernel). NaN where a set is the same for all
    images. Raises UsageError for sets of different images and for fewer than two.
    """
    if one.ndim != 2 or other.ndim != 2 or len(one) != len(other) or len(one) < 2:
        raise UsageError(
            f"features of shapes {one.shape} and {other.shape} cannot be compared: give images x units of the same "
            "two or more images."
        )
    return float((_kernel(one) * _kernel(other)).sum())


def cka_table(one: Mapping[str, Features], other: Mapping[str, Features]) -> pd.DataFrame:
    """`linear_cka` of every layer of one network, a row each, with every layer of another, a column each.

    The features are by layer, of the same images in the same order.
    """
    firsts, seconds = ([_kernel(layer) for layer in layers.values()] for layers in (one, other))
    rows = [[float((first * second).sum()) for second in seconds] for first in firsts]
    return pd.DataFrame(rows, index=list(one), columns=list(other))


def _kernel(features: Features) -> NDArray[np.float64]:
    """The centred N x N matrix of scalar products, of norm 1: small where there are fewer images than units."""
    centred = features.astype(np.float64) - features.mean(axis=0, dtype=np.float64)
    kernel: NDArray[np.float64] = centred @ centred.T
    norm = np.linalg.norm(kernel)
    return kernel / norm if norm > 0 else np.full_like(kernel, np.nan)
