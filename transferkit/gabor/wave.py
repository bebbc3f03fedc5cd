"""The wave under its envelope, in one colour, as eight numbers; and the one nearest to a plane of a filter.

The numbers, which the least squares work on, are: x, y (pixels from the middle of the tile), theta (radians),
log(wavelength), log(size / wavelength), log(width), where size and width are the envelope's standard deviations along
the wave and across it (pixels), and the weights of the cosine and of the sine.
"""

import math
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, least_squares

Array = NDArray[np.float64]

_NAMES = ("x", "y", "theta", "wavelength", "size", "aspect", "even", "odd")  # what the eight numbers decide

SEEN_SIZES = 6**0.5  # sizes: an envelope counts as wide as the box that is as spread out as the envelope's square

SHORTEST_WAVE = 2.0  # pixels: sampled once per pixel, a shorter wave looks like a longer one
LONGEST_WAVE = 10.0  # sides of the tile: of a wave as long as that nothing is seen but a patch
FEWEST_CYCLES = 0.5  # an edge has no more to show, and a longer wave in the same envelope would fit it as well
MOST_SIZES = 4.0  # per wavelength: an envelope as long as that is flat on a tile that holds a few cycles
SMALLEST_SIZE, LARGEST_SIZE = 0.5, 2.0  # pixels; sides of the tile: smaller is one pixel, larger is flat
# On planted and on trained filters as good, within 0.01 of R2, as six starts with 20 and 200 evaluations.
STARTS, ROUGH, FINE = 4, 5, 30
TOLERANCE = 1e-6
AT_BOUND = 0.01  # pixels, or share of a length: what is nearer to its bound was stopped by it


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
    """The parts of one wave, which its first six numbers decide, at the pixels of the grid."""
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


def nearest_wave(seen: Array, side: int) -> Array:
    """The wave (its eight numbers) nearest to one plane of a filter, float64 of length side * side, RMS about 1.

    Its length is between SHORTEST_WAVE and what shows FEWEST_CYCLES on the tile.
    """
    bounds = _bounds(side, side / FEWEST_CYCLES)
    rough = [_descend(seen, start, bounds, ROUGH) for start in _starts(seen, side)]
    best = min(rough, key=lambda result: float(result.cost))
    return _within_sight(_descend(seen, best.x, bounds, FINE).x, side)


def nearest_patch(seen: Array, side: int, wave: Array) -> Array:
    """As nearest_wave, from that wave on, but it may be so long that nothing of the wave is seen on the tile."""
    return _within_sight(_descend(seen, wave, _bounds(side, LONGEST_WAVE * side), FINE).x, side)


def _within_sight(wave: Array, side: int) -> Array:
    """The wave with its size at most LARGEST_SIZE: on the tile, a larger one looks alike and would say nothing."""
    wave[4] = min(wave[4], np.log(LARGEST_SIZE * side) - wave[3])
    return wave


def _descend(seen: Array, start: Array, bounds: tuple[Array, Array], evaluations: int) -> OptimizeResult:
    def misses(guess: Array, grid: tuple[Array, Array]) -> Array:
        return draw(guess, grid) - seen

    inside = np.clip(start, bounds[0] + 1e-6, bounds[1] - 1e-6)
    return least_squares(
        misses, inside, slopes, bounds, args=(pixels(math.isqrt(seen.size)),), max_nfev=evaluations,
        ftol=TOLERANCE, xtol=TOLERANCE, gtol=TOLERANCE,
    )  # fmt: skip


def _bounds(side: int, longest: float) -> tuple[Array, Array]:
    lengths, widths = np.log([SHORTEST_WAVE, longest]), np.log([SMALLEST_SIZE, LARGEST_SIZE * side])
    ratios = np.log([FEWEST_CYCLES / SEEN_SIZES, MOST_SIZES])
    lowest = [-side / 2, -side / 2, -np.inf, lengths[0], ratios[0], widths[0], -np.inf, -np.inf]
    highest = [side / 2, side / 2, np.inf, lengths[1], ratios[1], widths[1], np.inf, np.inf]
    return np.array(lowest), np.array(highest)


def at_bound(wave: Array, side: int, patch: bool) -> tuple[str, ...]:
    """Which of "x", "y", "wavelength", "size" and "aspect" of a fitted wave, or of a patch, a bound stopped."""
    lowest, highest = _bounds(side, side / FEWEST_CYCLES)
    stopped = dict(zip(_NAMES, (wave < lowest + AT_BOUND) | (wave > highest - AT_BOUND), strict=True))
    if patch:  # whose wave only gives it a shape
        stopped |= {"wavelength": False, "size": False}
    stopped["size"] |= bool(wave[3] + wave[4] > np.log(LARGEST_SIZE * side) - AT_BOUND)
    return tuple(name for name in ("x", "y", "wavelength", "size", "aspect") if stopped[name])


def _starts(seen: Array, side: int) -> list[Array]:
    """Of every wavelength of the bank the wave that explains the plane best; of those the best STARTS."""
    waves, spans = _bank(side)
    found = np.square(spans @ seen).sum(axis=2)
    best = found.argmax(axis=1)
    order = np.argsort(found.max(axis=1))[::-1][:STARTS]
    grid, starts = pixels(side), []
    for group in order:
        wave = waves[group, best[group]].copy()
        parts = sample(wave, grid)
        wave[6:] = np.linalg.lstsq(np.stack([parts.cosine, parts.sine], axis=1), seen)[0]
        starts.append(wave)
    return starts


@lru_cache(maxsize=4)  # making it takes longer than the fit of one filter
def _bank(side: int) -> tuple[Array, Array]:
    """Waves to start from, float64 wavelengths x waves x 8, and what each of them spans: its cosine and sine.

    These are orthonormal, float64 wavelengths x waves x 2 x pixels.
    """
    wavelengths = np.geomspace(2.5, 2 * side, 6)
    places, angles = np.array([-0.28, 0, 0.28]) * side, np.arange(8) * np.pi / 8
    waves = np.array(
        [
            [x, y, angle, np.log(wavelength), np.log(ratio), np.log(ratio * wavelength), 1, 0]
            for wavelength, x, y, angle, ratio in product(wavelengths, places, places, angles, (0.35, 0.8))
        ]
    )
    grid = pixels(side)
    spans = np.linalg.qr(np.array([np.stack(sample(wave, grid)[3:], axis=1) for wave in waves]))[0]
    shape = (len(wavelengths), -1)
    return waves.reshape(*shape, 8), spans.swapaxes(1, 2).reshape(*shape, 2, side * side)
