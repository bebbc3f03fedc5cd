"""What conv1 holds, as a table: a fit per filter, how many are of each kind, and the control with scrambled phases."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from transferkit.gabor import SMALLEST_SIDE, FilterFit, Kind, fit_filters
from transferkit.randomness import generator_from

KINDS: tuple[Kind, ...] = ("gabor", "edge", "colour blob", "grey blob", "neither")
LETTERS: Mapping[Kind, str] = MappingProxyType(
    {
        "gabor": "G", "edge": "E", "colour blob": "C", "grey blob": "B",
        "neither": "\N{EN DASH}", "not fitted": "\N{EN DASH}",
    }
)  # fmt: skip
COLUMNS = (
    "filter", "kind", "r2", "theta_deg", "wavelength_px", "phase_deg", "size_px", "aspect", "red", "green", "blue",
)  # fmt: skip

Filters = NDArray[np.floating]


def fit_table(weights: Filters) -> pd.DataFrame:
    """One row per filter with the columns COLUMNS, from weights, float filters x 3 x k x k.

    Units are as in `gabor.Gabor`, the colour is its axis. A Gabor has an orientation, a wavelength and a phase, an
    edge has no wavelength (NaN), a blob has none of the three, and what is neither has only its r2. Filters of less
    than SMALLEST_SIDE pixels cannot hold a wave: all are "not fitted", without an r2. Raises what `fit_filters` raises.

    >>> tk.fit_table(tk.first_filters(study, "baseA")).columns[:3].tolist()
    ['filter', 'kind', 'r2']
    """
    if weights.ndim == 4 and weights.shape[-1] < SMALLEST_SIDE:
        empty = (np.nan,) * (len(COLUMNS) - 2)
        return pd.DataFrame([(number, "not fitted", *empty) for number in range(len(weights))], columns=list(COLUMNS))
    rows = [_row(number, fit) for number, fit in enumerate(fit_filters(weights))]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(number: int, fit: FilterFit) -> tuple[object, ...]:
    gabor = fit.gabor
    wave = (gabor.theta_deg, gabor.wavelength_px if fit.kind == "gabor" else np.nan, gabor.phase_deg)
    patch = (gabor.size_px, gabor.aspect, gabor.red, gabor.green, gabor.blue)
    return (
        number,
        fit.kind,
        fit.r2,
        *(wave if fit.kind in ("gabor", "edge") else (np.nan,) * 3),
        *(patch if fit.kind != "neither" else (np.nan,) * 5),
    )


def count_kinds(table: pd.DataFrame) -> dict[Kind, int]:
    """How many filters of each of the KINDS the table of `fit_table` has, or that all are not fitted."""
    kinds: tuple[Kind, ...] = ("not fitted",) if (table["kind"] == "not fitted").any() else KINDS
    return {kind: int((table["kind"] == kind).sum()) for kind in kinds}


def scrambled_filters(weights: Filters, seed: int = 0) -> Filters:
    """The negative control: the same filters with scrambled phases, float filters x 3 x k x k.

    Each keeps its power spectrum and its colours, as the three channels are scrambled alike. What made it an edge, a
    wave or a patch in one place is lost.
    """
    side = weights.shape[-1]
    noise = np.fft.rfft2(generator_from("scrambled filters", seed).normal(size=(len(weights), 1, side, side)))
    scrambled: Filters = np.fft.irfft2(np.fft.rfft2(weights) * noise / np.abs(noise), s=(side, side))
    return scrambled
