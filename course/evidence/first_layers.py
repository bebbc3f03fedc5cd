"""Two first layers compared, and the controls of that: noise, and changes that leave a layer as good as it was."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from course.looking.control import scrambled_filters
from course.looking.kinds import Filters
from transferkit.errors import UsageError
from transferkit.gabor import Kind

PAPERS_KINDS: tuple[Kind, ...] = ("gabor", "edge", "colour blob")  # "Gabor filters and color blobs"


@dataclass(frozen=True)
class Matching:
    """The best one-to-one matching of two sets of filters.

    pairs: int n x 2, rows of the first and the second set, most alike first; likeness: float n, their cosines.
    """

    pairs: NDArray[np.intp]
    likeness: NDArray[np.float64]


def likeness_controls(weights: Filters, seed: int = 0) -> dict[str, Filters]:
    """Three changes of a first layer, float filters x 3 x k x k, which leave it much like any other layer of its kind.

    "scrambled" has other phases, "recoloured" the channels in the reverse order, "turned" is turned by 90 degrees.
    """
    return {
        "scrambled": scrambled_filters(weights, seed),
        "recoloured": weights[:, ::-1],
        "turned": np.rot90(weights, axes=(2, 3)),
    }


def match_filters(first: Filters, second: Filters) -> Matching:
    """Pair the filters of two layers so that they are most alike in all (Hungarian method).

    How alike two filters are is the cosine of their weights at the best of all shifts of at most a quarter of their
    side, since the same stripes a pixel further on are the same feature. Raises UsageError for unlike sizes.
    """
    if first.shape[1:] != second.shape[1:]:
        raise UsageError(f"filters of {first.shape[1:]} and {second.shape[1:]} cannot be compared: they must be alike.")
    alike = likeness(first, second)
    rows, columns = linear_sum_assignment(alike, maximize=True)
    order = np.argsort(-alike[rows, columns], kind="stable")
    return Matching(np.stack([rows, columns], axis=1)[order], alike[rows, columns][order])


def likeness(first: Filters, second: Filters) -> NDArray[np.float64]:
    """How alike each filter of the first set is to each of the second: cosines, float n x m."""
    reach = first.shape[-1] // 4
    shifts = [(dy, dx) for dy in range(-reach, reach + 1) for dx in range(-reach, reach + 1)]
    one = _unit(first)
    alike = [one @ _unit(_shifted(second, dy, dx)).T for dy, dx in shifts]
    best: NDArray[np.float64] = np.max(alike, axis=0)
    return best


def _unit(filters: Filters) -> NDArray[np.float64]:
    flat = filters.reshape(len(filters), -1).astype(np.float64)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return flat / np.where(length > 0, length, 1)


def _shifted(filters: Filters, dy: int, dx: int) -> Filters:
    """The filters moved by whole pixels; what comes in is zero."""
    side = filters.shape[-1]
    padded = np.pad(filters, ((0, 0), (0, 0), (side, side), (side, side)))
    return padded[:, :, side - dy : 2 * side - dy, side - dx : 2 * side - dx]
