"""The wave under its envelope, in one colour, as the eight numbers that the least squares work on.

They are: x, y (pixels from the middle of the tile), theta (radians), log(wavelength), log(size / wavelength),
log(width), where size and width are the envelope's standard deviations along the wave and across it (pixels), and the
weights of the cosine and of the sine.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SEEN_SIZES = 6**0.5  # sizes: an envelope counts as wide as the box that is as spread out as the envelope's square


class Sampled(NamedTuple):
    """A wave at the pixels of a tile, row by row, each float64 of length side * side (u and v in pixels)."""

    u: Array
    v: Array
    envelope: Array
    cosine: Array
    sine: Array


def pixels(side: int) -> tuple[Array, Array]:
    """Where the pixels of a tile are, row by row, from its middle: x and y, each float64 of length side * side."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return x.ravel(), y.ravel()


def sample(wave: Array, grid: tuple[Array, Array]) -> Sampled:
    """The parts of one wave, of which the first six numbers count, at the pixels of the grid."""
    x, y, theta, wavelength, ratio, width = wave[:6]
    dx, dy, cos, sin = grid[0] - x, grid[1] - y, np.cos(theta), np.sin(theta)
    u, v = dx * cos + dy * sin, dy * cos - dx * sin
    envelope = np.exp(-0.5 * (np.square(u * np.exp(-wavelength - ratio)) + np.square(v * np.exp(-width))))
    angle = 2 * np.pi * np.exp(-wavelength) * u
    return Sampled(u, v, envelope, envelope * np.cos(angle), envelope * np.sin(angle))


def draw(wave: Array, grid: tuple[Array, Array]) -> Array:
    """The wave at the pixels of the grid, float64 of the grid's length."""
    parts = sample(wave, grid)
    return np.asarray(wave[6] * parts.cosine + wave[7] * parts.sine)


def slopes(wave: Array, grid: tuple[Array, Array]) -> Array:
    """How the drawn wave changes with each of its eight numbers, float64 pixels x 8."""
    theta, wavelength, ratio, width, even, odd = wave[2:]
    parts = sample(wave, grid)
    value = even * parts.cosine + odd * parts.sine
    turned = odd * parts.cosine - even * parts.sine  # the slope by the angle of the wave
    pace = 2 * np.pi * np.exp(-wavelength)
    bend_u = parts.u * np.exp(-2 * (wavelength + ratio)) * value
    bend_v = parts.v * np.exp(-2 * width) * value
    by_u, by_v, cos, sin = pace * turned - bend_u, -bend_v, np.cos(theta), np.sin(theta)
    columns = (
        sin * by_v - cos * by_u,
        -sin * by_u - cos * by_v,
        parts.v * by_u - parts.u * by_v,
        -parts.u * by_u,
        parts.u * bend_u,
        parts.v * bend_v,
        parts.cosine,
        parts.sine,
    )
    return np.stack(columns, axis=1)


def weaker_share(value: Array) -> float:
    """Share of the energy of a drawn wave, 0..0.5, where it has the rarer sign: 0 is one patch, no second stripe."""
    total, positive = np.square(value).sum(), np.square(value[value > 0]).sum()
    return float(min(positive, total - positive) / total) if total > 0 else 0.0
