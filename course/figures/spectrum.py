"""The mean power spectrum of a set of filters."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

_SPECTRUM_SIDE = 64  # at least so many frequencies each way


def mean_spectrum(filters: Floats) -> NDArray[np.float64]:
    """Mean over filters, float filters x 3 x k x k of unit energy each, of their power, float64 s x s.

    Zero frequency stands at [s // 2, s // 2], steps are 1 / s cycles per pixel; s is k, at least 64.
    """
    values = filters.astype(np.float64)
    energy = np.square(values).sum(axis=(1, 2, 3), keepdims=True)
    values /= np.sqrt(np.where(energy > 0, energy, 1))
    side = max(_SPECTRUM_SIDE, values.shape[-1])
    power = np.square(np.abs(np.fft.fft2(values, s=(side, side)))).sum(axis=1).mean(axis=0)
    return np.asarray(np.fft.fftshift(power))


def half_power(power: NDArray[np.float64]) -> float:
    """The radius, in cycles per pixel, within which half of the power lies."""
    along = np.arange(-(len(power) // 2), len(power) - len(power) // 2) / len(power)
    radius = np.hypot(along[:, None], along).ravel()
    order = radius.argsort(kind="stable")
    total = power.ravel()[order].cumsum()
    return float(radius[order][np.searchsorted(total, total[-1] / 2)])
