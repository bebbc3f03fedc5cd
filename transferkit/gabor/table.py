"""What conv1 holds, as a table: a fit per filter, the shares of the kinds, and how alike two first layers are."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from transferkit.errors import UsageError
from transferkit.gabor import SMALLEST_SIDE, FilterFit, Kind, fit_filters
from transferkit.randomness import generator_from

KINDS: tuple[Kind, ...] = ("gabor", "blob", "neither")
COLUMNS = (
    "filter", "kind", "r2", "theta_deg", "wavelength_px", "phase_deg", "size_px", "aspect", "red", "green", "blue",
)  # fmt: skip

Filters = NDArray[np.floating]


@dataclass(frozen=True)
class Matching:
    """The best one-to-one matching of two sets of filters.

    pairs: int n x 2, rows of the first and the second set, most alike first; likeness: float n, their cosines.
    """

    pairs: NDArray[np.intp]
    likeness: NDArray[np.float64]


def fit_table(weights: Filters) -> pd.DataFrame:
    """One row per filter with the columns COLUMNS, from weights, float filters x 3 x k x k.

    Units are as in `gabor.Gabor`, the colour is its axis. A wave has an orientation, a wavelength and a phase,
    a blob has none of these (NaN), and what is neither has only its r2. Filters of less than SMALLEST_SIDE pixels
    cannot hold a wave: all are "neither", with an r2 of NaN. Raises what `fit_filters` raises.

    >>> tk.fit_table(tk.first_filters(study, "baseA")).columns[:3].tolist()
    ['filter', 'kind', 'r2']
    """
    if weights.ndim == 4 and weights.shape[-1] < SMALLEST_SIDE:
        empty = (np.nan,) * (len(COLUMNS) - 2)
        return pd.DataFrame([(number, "neither", *empty) for number in range(len(weights))], columns=list(COLUMNS))
    rows = [_row(number, fit) for number, fit in enumerate(fit_filters(weights))]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(number: int, fit: FilterFit) -> tuple[object, ...]:
    gabor = fit.gabor
    wave = (gabor.theta_deg, gabor.wavelength_px, gabor.phase_deg)
    patch = (gabor.size_px, gabor.aspect, gabor.red, gabor.green, gabor.blue)
    return (
        number,
        fit.kind,
        fit.r2,
        *(wave if fit.kind == "gabor" else (np.nan,) * 3),
        *(patch if fit.kind != "neither" else (np.nan,) * 5),
    )


def shares(table: pd.DataFrame) -> dict[Kind, float]:
    """The share of each kind, 0..1, from the table of `fit_table`."""
    return {kind: float((table["kind"] == kind).mean()) for kind in KINDS}


def untrained_filters(weights: Filters, seed: int = 0) -> Filters:
    """The negative control: as many filters of the same size, white Gaussian noise of the same spread."""
    noise: Filters = generator_from("untrained filters", seed).normal(0, float(weights.std()), weights.shape)
    return noise


def smooth_noise(weights: Filters, seed: int = 0) -> Filters:
    """The harder control: as many filters of noise that is as smooth as these, with their mean amplitude spectrum."""
    white = np.fft.rfft2(generator_from("smooth noise", seed).normal(size=weights.shape))
    amplitude = np.abs(np.fft.rfft2(weights)).mean(axis=0)
    noise: Filters = np.fft.irfft2(amplitude * white / np.abs(white), s=weights.shape[2:])
    return noise


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
