"""What conv1 holds, as a table: a fit per filter, the shares of the kinds, and how alike two first layers are."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from transferkit.gabor import SMALLEST_SIDE, FilterFit, Kind, fit_filters
from transferkit.randomness import generator_from

KINDS: tuple[Kind, ...] = ("gabor", "blob", "neither")
COLUMNS = (
    "filter", "kind", "r2", "theta_deg", "wavelength_px", "phase_deg", "size_px", "aspect", "red", "green", "blue",
)  # fmt: skip

Filters = NDArray[np.floating]


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
