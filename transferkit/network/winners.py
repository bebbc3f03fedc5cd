"""The gradient of a convolution that only some places of each filter's map pass on, as loops over those places.

Compiled by Numba on first use, and kept beside this file or, where that cannot be written to, among the user's caches.
Arrays are contiguous: what is seen is N x H x W x C with its margin, filters are F x k x k x C, `winners` N x P x F
says at which place of the filter's map (int64, row by row) the P values stand that were passed on, and `slopes` holds
their gradients.
"""

from collections.abc import Callable

import numpy as np
from numba import njit

_IN_ANY_ORDER = {"reassoc", "contract"}  # of Numba's liberties with floating point; not those that take all for finite


def _compiled(loop: Callable[..., None]) -> Callable[..., None]:
    """The loop in machine code, which Numba keeps if it can."""
    try:
        return njit(cache=True, fastmath=_IN_ANY_ORDER, nogil=True)(loop)
    except RuntimeError:  # there is no place to keep it
        return njit(cache=False, fastmath=_IN_ANY_ORDER, nogil=True)(loop)


@_compiled
def gather_filters(seen: np.ndarray, winners: np.ndarray, slopes: np.ndarray, gathered: np.ndarray) -> None:
    """Add to `gathered`, like the filters, what each of them saw where it won, times the slope there.

    Four winners at a time, since what takes time is to read and write the sum.
    """
    images, height, width, channels = seen.shape
    passed, filters = slopes.shape[1:]
    kernel = gathered.shape[1]
    rows, line, reach = seen.reshape(-1), width * channels, kernel * channels
    sums = gathered.reshape(filters, kernel, reach)
    columns = width - kernel + 1
    corners = np.array(
        [place // columns * line + place % columns * channels for place in range((height - kernel + 1) * columns)]
    )
    starts, times = np.zeros(passed + 4, np.int64), np.zeros(passed + 4, slopes.dtype)
    for image in range(images):
        for own in range(filters):
            count = 0
            for place in range(passed):
                starts[count] = image * height * line + corners[winners[image, place, own]]
                times[count] = slopes[image, place, own]
                count += times[count] != 0
            starts[count : count + 3], times[count : count + 3] = 0, 0
            for first in range(0, count, 4):
                a, b, c, d = times[first], times[first + 1], times[first + 2], times[first + 3]
                for row in range(kernel):
                    one, two = rows[starts[first] + row * line :], rows[starts[first + 1] + row * line :]
                    three, four = rows[starts[first + 2] + row * line :], rows[starts[first + 3] + row * line :]
                    total = sums[own, row]
                    for column in range(reach):
                        total[column] += (a * one[column] + b * two[column]) + (c * three[column] + d * four[column])


@_compiled
def spread_filters(filters: np.ndarray, winners: np.ndarray, slopes: np.ndarray, spread: np.ndarray) -> None:
    """Add to `spread`, like what is seen, each filter where it won, times the slope there."""
    images, height, width, channels = spread.shape
    passed, kernel = slopes.shape[1], filters.shape[1]
    reach, columns = kernel * channels, width - kernel + 1
    flat, sums = filters.reshape(len(filters), kernel, reach), spread.reshape(images, height, width * channels)
    for image in range(images):
        for place in range(passed):
            for own in range(len(filters)):
                slope = slopes[image, place, own]
                if slope != 0:
                    top, left = divmod(winners[image, place, own], columns)
                    for row in range(kernel):
                        total, weights = sums[image, top + row, left * channels :], flat[own, row]
                        for column in range(reach):
                            total[column] += slope * weights[column]
