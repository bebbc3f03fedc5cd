"""How alike two layers represent the same images: linear centred kernel alignment (Kornblith et al. 2019, CKA)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from transferkit.errors import UsageError

Features = NDArray[np.floating]


def cka_table(one: Mapping[str, Features], other: Mapping[str, Features]) -> pd.DataFrame:
    """How alike (0..1) every layer of one network, a row each, is to every layer of another, a column each.

    Both map layers to features of the same images in the same order, float images x units. The value is 1 if one set
    of features is the other turned, mirrored, shifted or scaled as a whole; any other linear map lowers it (equation 5
    of Kornblith et al. 2019, with the linear kernel). It is NaN if a set is the same for all images. Raises UsageError
    for different numbers of images and for fewer than two.
    """
    shapes = [layer.shape for layers in (one, other) for layer in layers.values()]
    if any(len(shape) != 2 or shape[0] < 2 or shape[0] != shapes[0][0] for shape in shapes):
        raise UsageError(
            f"features of the shapes {', '.join(map(str, dict.fromkeys(shapes)))} cannot be compared: give images x "
            "units of the same two or more images."
        )
    firsts, seconds = ([_kernel(layer) for layer in layers.values()] for layers in (one, other))
    rows = [[float((first * second).sum()) for second in seconds] for first in firsts]
    return pd.DataFrame(rows, index=list(one), columns=list(other))


def _kernel(features: Features) -> NDArray[np.float64]:
    """The centred N x N matrix of scalar products, scaled to norm 1; NaN if the features are the same for all."""
    centred = features.astype(np.float64) - features.mean(axis=0, dtype=np.float64)
    kernel: NDArray[np.float64] = centred @ centred.T
    norm = np.linalg.norm(kernel)
    return kernel / norm if norm > 0 else np.full_like(kernel, np.nan)
