"""The wave nearest to one plane of a filter: several starts from a bank of waves, then least squares."""

import math
from functools import lru_cache
from itertools import product

import numpy as np
from scipy.optimize import OptimizeResult, least_squares

from transferkit.gabor.wave import SEEN_SIZES, Array, draw, pixels, sample, slopes

SHORTEST_WAVE = 2.0  # pixels: sampled once per pixel, a shorter wave looks like a longer one
LONGEST_WAVE = 10.0  # sides of the tile: of a wave as long as that nothing is seen but a patch
FEWEST_CYCLES = 0.5  # an edge has no more to show, and a longer wave in the same envelope would fit it as well
MOST_SIZES = 4.0  # per wavelength: an envelope as long as that is flat on a tile that holds a few cycles
SMALLEST_SIZE, LARGEST_SIZE = 0.5, 2.0  # pixels; sides of the tile: smaller is one pixel, larger is flat
# On planted and on trained filters as good, within 0.01 of R2, as six starts with 20 and 200 evaluations.
STARTS, ROUGH, FINE = 4, 5, 30
TOLERANCE = 1e-6


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
    grid = pixels(math.isqrt(seen.size))

    def misses(guess: Array) -> Array:
        return draw(guess, grid) - seen

    def bends(guess: Array) -> Array:
        return slopes(guess, grid)

    inside = np.clip(start, bounds[0] + 1e-6, bounds[1] - 1e-6)
    return least_squares(
        misses, inside, bends, bounds, ftol=TOLERANCE, xtol=TOLERANCE, gtol=TOLERANCE, max_nfev=evaluations
    )


def _bounds(side: int, longest: float) -> tuple[Array, Array]:
    lengths, widths = np.log([SHORTEST_WAVE, longest]), np.log([SMALLEST_SIZE, LARGEST_SIZE * side])
    ratios = np.log([FEWEST_CYCLES / SEEN_SIZES, MOST_SIZES])
    lowest = [-side / 2, -side / 2, -np.inf, lengths[0], ratios[0], widths[0], -np.inf, -np.inf]
    highest = [side / 2, side / 2, np.inf, lengths[1], ratios[1], widths[1], np.inf, np.inf]
    return np.array(lowest), np.array(highest)


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
