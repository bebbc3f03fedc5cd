"""What the microscope looks at: filters, their fits, and a Gabor beside one."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from transferkit.errors import UsageError
from transferkit.gabor import FilterFit, Gabor, Kind, fit_filter
from transferkit.gabor.tiles import filter_tiles

History = Mapping[int, NDArray[np.floating]]


class Comparison(NamedTuple):
    """A filter beside a Gabor: the Gabor and what is left, each float64 3 x k x k; the RMS of what is left; R2."""

    drawn: NDArray[np.float64]
    left: NDArray[np.float64]
    residual: float
    r2: float

    def in_words(self, kind: Kind) -> str:
        """The numbers in one line, with the kind that the filter's own fit makes it."""
        return f"residual {self.residual:#.3g} (RMS) · R² {self.r2:.2f} · kind {kind}"


def compare(seen: NDArray[np.floating], gabor: Gabor) -> Comparison:
    """One filter, float 3 x k x k, beside a Gabor; R2 is as in `gabor.FilterFit`, and below 0 for a poor guess."""
    drawn = gabor.draw(seen.shape[-1])
    left = seen - drawn
    energy, unexplained = float(np.square(seen, dtype=np.float64).sum()), float(np.square(left).sum())
    return Comparison(drawn, left, (unexplained / left.size) ** 0.5, 1 - unexplained / energy if energy > 0 else 0.0)


def in_words(gabor: Gabor) -> str:
    """What a Gabor looks like, with units."""
    return (
        f"orientation {gabor.theta_deg:.0f}°, wavelength {gabor.wavelength_px:.1f} px, size {gabor.size_px:.1f} px, "
        f"aspect {gabor.aspect:.2f}, phase {gabor.phase_deg:.0f}°, "
        f"colour ({gabor.red:.2f}, {gabor.green:.2f}, {gabor.blue:.2f})"
    )


class Film:
    """The filters of every epoch, and their fits, each made when it is first asked for.

    Raises UsageError for a history without epochs or of several shapes, and as `filters.filter_tiles`.
    """

    def __init__(self, history: History) -> None:
        if len({weights.shape for weights in history.values()}) != 1:
            shapes = [weights.shape for weights in history.values()]
            raise UsageError(f"a history of the shapes {shapes} is no film: give one epoch or more, all of one shape.")
        self.epochs = sorted(history)
        self.last = self.epochs[-1]
        self.weights = {epoch: history[epoch] for epoch in self.epochs}
        self.tiles = {epoch: filter_tiles(weights) for epoch, weights in self.weights.items()}
        self._fits: dict[tuple[int, int], FilterFit] = {}

    def __len__(self) -> int:
        """How many filters there are."""
        return len(self.weights[self.last])

    def fit(self, epoch: int, number: int) -> FilterFit:
        """The fit of one filter at one epoch. Raises UsageError for a filter that does not exist."""
        if not 0 <= number < len(self):
            raise UsageError(f"there is no filter {number}: give one of 0 to {len(self) - 1}.")
        if (epoch, number) not in self._fits:
            self._fits[epoch, number] = fit_filter(self.weights[epoch][number])
        return self._fits[epoch, number]

    def pixels(self, number: int, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Values, float 3 x k x k, on the scale of one filter as k x k x 3 in 0..1, where 0.5 is zero.

        The scale is the filter's largest weight of all epochs, so that it is seen to grow.
        """
        scale = max(float(np.abs(weights[number]).max()) for weights in self.weights.values()) or 1.0
        return np.clip(0.5 + 0.5 * values.astype(np.float64) / scale, 0, 1).transpose(1, 2, 0)
