"""conv1's weights as tiles to look at, in an order that reads well (inset of Figure 2 of Krizhevsky et al. 2012)."""

import numpy as np
from numpy.typing import NDArray

from transferkit.errors import UsageError

CHROMA_SHARE = 0.5  # above this share of its energy, a filter's colour says more than its light and dark
ORIENTATIONS = 8  # steps of 22.5 degrees: as finely as a row of tiles can be told apart
SPECTRUM_SIZE = 32  # zero-padded side of the 2-D spectrum: enough to find the peak of a 9- or 11-pixel filter

FloatArray = NDArray[np.floating]


def filter_tiles(weights: FloatArray) -> NDArray[np.float32]:
    """Tiles to look at, float32 filters x k x k x 3 (RGB) in 0..1, from weights, float filters x 3 x k x k.

    Each tile is scaled by its own largest absolute weight: 0.5 is a weight of zero, brighter is positive.
    Raises UsageError for an array of another shape, or one that holds a number that is not finite.
    """
    if weights.ndim != 4 or weights.size == 0 or weights.shape[1] != 3 or weights.shape[2] != weights.shape[3]:
        raise UsageError(
            f"weights of shape {weights.shape} are no filters that look at colour images: "
            "give those of conv1, filters x 3 x k x k."
        )
    if not np.isfinite(weights).all():
        raise UsageError("the weights hold numbers that are not finite: that network diverged; train it again.")
    values = weights.astype(np.float64).transpose(0, 2, 3, 1)
    largest = np.abs(values).max(axis=(1, 2, 3), keepdims=True)
    scaled = values / np.where(largest > 0, largest, 1)
    return (0.5 + 0.5 * scaled).astype(np.float32)


def is_coloured(tiles: FloatArray) -> NDArray[np.bool_]:
    """Which of the tiles, filters x k x k x 3, see colour rather than light and dark.

    Those with more than CHROMA_SHARE of their energy in the differences between the three channels.
    """
    values = tiles.astype(np.float64) - 0.5
    chroma = values - values.mean(axis=3, keepdims=True)
    energy = np.square(values).sum(axis=(1, 2, 3))
    return np.asarray(np.square(chroma).sum(axis=(1, 2, 3)) > CHROMA_SHARE * energy)


def order_filters(tiles: FloatArray) -> NDArray[np.intp]:
    """A permutation of the tiles, filters x k x k x 3, that puts alike ones side by side.

    First those that see light and dark, by orientation (in ORIENTATIONS steps) and then from coarse to fine;
    after them the coloured ones, by the hue of their most vivid pixel from red over green to blue.
    Equal ones keep their order.
    """
    coloured = is_coloured(tiles)
    orientation, frequency = _waves(tiles)
    first = np.where(coloured, _hues(tiles), orientation)
    second = np.where(coloured, 0.0, frequency)
    return np.lexsort((second, first, coloured))


def _waves(tiles: FloatArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per tile: the orientation step (0..ORIENTATIONS - 1) and frequency (cycles per pixel) of its strongest wave."""
    light = tiles.astype(np.float64).mean(axis=3)
    light -= light.mean(axis=(1, 2), keepdims=True)
    side = max(SPECTRUM_SIZE, light.shape[1])
    power = np.abs(np.fft.rfft2(light, s=(side, side))) ** 2
    row, column = np.unravel_index(power.reshape(len(power), -1).argmax(axis=1), power.shape[1:])
    fy, fx = np.fft.fftfreq(side)[row], np.fft.rfftfreq(side)[column]
    step = np.round(np.arctan2(fy, fx) / np.pi * ORIENTATIONS) % ORIENTATIONS
    return step, np.hypot(fy, fx)


def _hues(tiles: FloatArray) -> NDArray[np.float64]:
    """Per tile: the hue of its most vivid pixel as an angle, 0 red, 2 pi / 3 green, 4 pi / 3 blue."""
    pixels = tiles.astype(np.float64).reshape(len(tiles), -1, 3)
    vivid = np.ptp(pixels, axis=2).argmax(axis=1)
    red, green, blue = pixels[np.arange(len(pixels)), vivid].T
    hue = np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)
    return np.asarray(hue % (2 * np.pi))
