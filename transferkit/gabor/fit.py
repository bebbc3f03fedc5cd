"""The Gabor nearest to a filter, how much of the filter it explains, and the kind of filter that this makes it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from transferkit.errors import UsageError
from transferkit.gabor.gabor import Gabor
from transferkit.gabor.wave import Array, at_bound, draw, nearest_patch, nearest_wave, pixels, weaker_share

SMALLEST_SIDE = 5  # a wave is 8 numbers, and 4 x 4 pixels in one colour are only 16: it would fit nearly anything
# At 0.5, two in three trained filters pass after their phases were scrambled; at 0.75, one in nine (evidence.md).
GOOD_FIT = 0.75  # R2
PLANE_LEAD = 0.05  # R2: half a cycle explains up to .98 of a ramp, and a wide patch all of a tile in one colour
WEAKER_SIGN = 0.25  # share of the energy: with less in the second stripe, a person sees one patch
COLOURED = 0.3  # share of the energy off the grey axis: pure cyan, magenta and yellow have 1/3, the others more
MEASURED_CYCLES = 0.75  # with fewer in sight, noise of a quarter hides the wavelength; with more, it is within 5 %
THINNEST = 0.49  # pixels: the spread of two pixels side by side is a half, that of a single one nothing
LONGEST_BLOB = 2.0  # times as long as wide; what is longer is a bar

Kind = Literal["gabor", "edge", "colour blob", "grey blob", "neither", "not fitted"]

Weights = NDArray[np.floating]
Each = Callable[[Iterable[Weights]], Iterable[Weights]]


@dataclass(frozen=True)
class FilterFit:
    """What the nearest Gabor makes of a filter.

    kind: "gabor" where it explains at least GOOD_FIT of the filter and PLANE_LEAD more than a plane does (one colour
    all over, or a ramp), is at least THINNEST both ways, and its weaker sign has at least WEAKER_SIGN of the energy.
    With less than MEASURED_CYCLES in sight that is an "edge": it has a direction but no wavelength. Without a second
    stripe, and at most LONGEST_BLOB times as long as wide, it is a "colour blob", or a "grey blob" where its colour
    axis has a chroma below COLOURED. All else is "neither". (A filter too small for a fit is "not fitted".)
    r2: the share of the filter's energy (squared weights; their mean is not taken off) that is explained, 0..1.
    residual: the root mean square of what is left, in the unit of the weights.
    gabor: the nearest one; that of a blob has so long a wave that one patch of it is seen, and its wavelength, phase
    and orientation are those of the patch's shape. The wavelength of an edge is the longest that the fit allows, or
    near it.
    at_bound: which numbers a bound of the fit stopped, of "x", "y", "wavelength", "size" and "aspect"; not measured.
    """

    kind: Kind
    r2: float
    residual: float
    gabor: Gabor
    at_bound: tuple[str, ...] = ()


def fit_filters(weights: NDArray[np.floating], each: Each = iter) -> tuple[FilterFit, ...]:
    """The fits of all filters, float filters x 3 x k x k. `each` passes these on, and may tell how many are done.

    Raises UsageError for another shape, and as fit_filter.
    """
    if weights.ndim != 4:
        raise UsageError(f"weights of shape {weights.shape} are no filters: give those of conv1, filters x 3 x k x k.")
    return tuple(fit_filter(one) for one in each(weights))


def fit_filter(weights: NDArray[np.floating]) -> FilterFit:
    """The Gabor nearest to one filter, float 3 x k x k, by least squares, and the filter's kind.

    The wave is fitted to the filter as seen along its first principal colour axis, then the colour to the whole
    filter. A filter of zeros is "neither", with an r2 of 0. The same filter always gets the same fit.
    Raises UsageError for another shape, for k < SMALLEST_SIDE and for numbers that are not finite.
    """
    _check(weights)
    side, scale = weights.shape[1], float(np.abs(weights).max())
    if scale == 0:
        centred = np.array([0, 0, 0, np.log(side), np.log(0.25), np.log(side / 4), 1, 0])
        return FilterFit("neither", 0.0, 0.0, _in_colour(centred, np.zeros(3)))
    values = weights.astype(np.float64).reshape(3, -1) / scale
    wave = _nearest(np.linalg.svd(values, full_matrices=False)[2][0] * side, side)
    plane = draw(wave, pixels(side))
    colour = values @ plane / (plane @ plane)
    left = np.square(values - np.outer(colour, plane))
    r2 = 1 - float(left.sum() / np.square(values).sum())
    gabor = _in_colour(wave, scale * colour)
    lead = r2 - _r2_of_plane(values, side)
    stopped = at_bound(wave, side, gabor.weaker_sign(side) < WEAKER_SIGN)
    return FilterFit(_kind(gabor, r2, lead, side), r2, scale * float(np.sqrt(left.mean())), gabor, stopped)


def _nearest(seen: Array, side: int) -> Array:
    """The wave of amplitude 1 nearest to one plane of a filter; where no second stripe is seen, the patch."""
    wave = nearest_wave(seen, side)
    if weaker_share(draw(wave, pixels(side))) < WEAKER_SIGN:
        wave = nearest_patch(seen, side, wave)
    return np.concatenate([wave[:6], wave[6:] / np.hypot(*wave[6:])])


def _kind(gabor: Gabor, r2: float, lead: float, side: int) -> Kind:
    if r2 < GOOD_FIT or lead < PLANE_LEAD:
        return "neither"
    width, length = gabor.spread(side)
    if width < THINNEST:
        return "neither"
    if gabor.weaker_sign(side) >= WEAKER_SIGN:
        return "gabor" if gabor.cycles(side) >= MEASURED_CYCLES else "edge"
    if length > LONGEST_BLOB * width:
        return "neither"
    return "colour blob" if gabor.chroma >= COLOURED else "grey blob"


def _r2_of_plane(values: Array, side: int) -> float:
    """The share of the energy, 0..1, that a plane in each channel explains: a constant and a slope either way."""
    x, y = pixels(side)
    planes = np.stack([np.ones_like(x), x, y], axis=1)
    planes /= np.linalg.norm(planes, axis=0)  # they are at right angles to each other
    return float(np.square(values @ planes).sum() / np.square(values).sum())


def _in_colour(wave: Array, colour: Array) -> Gabor:
    """A wave of amplitude 1 and its weights in the three channels as the one Gabor that keeps to the conventions."""
    amplitude = float(np.linalg.norm(colour))
    axis = colour / amplitude if amplitude > 0 else np.full(3, 3**-0.5)
    phase, theta = np.degrees(np.arctan2(-wave[7], wave[6])), np.degrees(wave[2]) % 360
    if theta >= 180:  # the same stripes seen from the other side
        theta, phase = theta - 180, -phase
    if axis[np.abs(axis).argmax()] < 0:
        axis, phase = -axis, phase + 180
    wavelength, ratio, width = np.exp(wave[3:6])
    size = wavelength * ratio
    numbers = (wave[0], wave[1], theta, wavelength, phase % 360, size, width / size, *axis, amplitude)
    return Gabor(*(float(number) for number in numbers))


def _check(weights: NDArray[np.floating]) -> None:
    if weights.ndim != 3 or weights.shape[0] != 3 or weights.shape[1] != weights.shape[2]:
        raise UsageError(
            f"a filter of shape {weights.shape} does not look at colour images: give one of conv1, 3 x k x k."
        )
    side = weights.shape[1]
    if side < SMALLEST_SIDE:
        raise UsageError(
            f"filters of {side} x {side} pixels cannot hold a Gabor, which has too many numbers for so few pixels: "
            f"give a layer whose filters have at least {SMALLEST_SIDE} x {SMALLEST_SIDE}."
        )
    if not np.isfinite(weights).all():
        raise UsageError("the filter holds numbers that are not finite: that network diverged; train it again.")
