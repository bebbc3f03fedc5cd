"""The Gabor in colour: its parameters with their units, drawn and measured."""

from dataclasses import dataclass

import numpy as np

from transferkit.gabor.wave import SEEN_SIZES, Array, draw, pixels, weaker_share


@dataclass(frozen=True)
class Gabor:
    """amplitude * colour * exp(-(u^2 + (v / aspect)^2) / (2 size^2)) * cos(2 pi u / wavelength + phase).

    x_px (to the right) and y_px (down) are the envelope's centre, from the middle of the tile. u runs along the wave,
    across its stripes, from that centre: u = x cos theta + y sin theta, v = y cos theta - x sin theta. theta_deg,
    0 <= theta < 180, thus turns from right to down: 0 is upright stripes, 45 a wave towards the lower right.
    phase_deg, 0 <= phase < 360, is the wave's at the centre. size_px is the envelope's standard deviation along u,
    aspect that along v divided by it. (red, green, blue) is the colour, a unit vector whose component of largest
    magnitude (the first of equals) is positive. amplitude >= 0, in the unit of the weights.

    One channel of a centred Gabor is, up to the factor 1 / (2 pi sigma_x sigma_y), the real part of
    skimage.filters.gabor_kernel(1 / wavelength, theta, sigma_x=size, sigma_y=aspect * size, offset=phase), where
    angles are in radians.
    """

    x_px: float
    y_px: float
    theta_deg: float
    wavelength_px: float
    phase_deg: float
    size_px: float
    aspect: float
    red: float
    green: float
    blue: float
    amplitude: float

    def draw(self, side: int) -> Array:
        """The Gabor on a tile, float64 3 x side x side."""
        return self.amplitude * self.colour[:, None, None] * self._wave(side).reshape(side, side)

    @property
    def colour(self) -> Array:
        """The colour axis, float64 of length 3 (RGB)."""
        return np.array([self.red, self.green, self.blue])

    @property
    def chroma(self) -> float:
        """Share of its energy off the grey axis: 0 is light and dark alone, 1 colour without light and dark."""
        return float(1 - self.colour.sum() ** 2 / 3)

    def cycles(self, side: int) -> float:
        """How many cycles of the wave are seen on a tile of this side: on SEEN_SIZES sizes, at most the side."""
        return min(SEEN_SIZES * self.size_px, side) / self.wavelength_px

    def weaker_sign(self, side: int) -> float:
        """Share of its energy on a tile, 0..0.5, where it has the rarer sign: 0 is one patch, no second stripe."""
        return weaker_share(self._wave(side))

    def spread(self, side: int) -> tuple[float, float]:
        """How far its energy on a tile spreads across and along its longest axis: standard deviations, pixels."""
        energy, grid = np.square(self._wave(side)), np.stack(pixels(side))
        if not energy.any():
            return 0.0, 0.0
        width, length = np.sqrt(np.linalg.eigvalsh(np.cov(grid, aweights=energy, ddof=0)).clip(0))
        return float(width), float(length)

    def _wave(self, side: int) -> Array:
        theta, phase = np.radians([self.theta_deg, self.phase_deg])
        sizes = np.log([self.wavelength_px, self.size_px / self.wavelength_px, self.size_px * self.aspect])
        return draw(np.array([self.x_px, self.y_px, theta, *sizes, np.cos(phase), -np.sin(phase)]), pixels(side))
