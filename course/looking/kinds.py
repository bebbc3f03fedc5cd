"""What conv1 holds, as a table: a fit per filter, how many are of each kind, and the control with scrambled phases."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from transferkit.gabor import SMALLEST_SIDE, FilterFit, Gabor, Kind, fit_filters
from transferkit.gabor.fit import Each

KINDS: tuple[Kind, ...] = ("gabor", "edge", "colour blob", "grey blob", "neither")
LETTERS: Mapping[Kind, str] = MappingProxyType(
    {
        "gabor": "G", "edge": "E", "colour blob": "C", "grey blob": "B",
        "neither": "\N{EN DASH}", "not fitted": "\N{EN DASH}",
    }
)  # fmt: skip
GABOR = tuple(field.name for field in fields(Gabor))
COLUMNS = (
    "filter", "kind", "r2", "theta_deg", "wavelength_px", "phase_deg", "size_px", "aspect", "red", "green", "blue",
    "x_px", "y_px", "amplitude", "residual", "at_bound", "side", *(f"nearest_{name}" for name in GABOR),
)  # fmt: skip
WAVE = ("theta_deg", "wavelength_px", "phase_deg")
MEANINGLESS: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {"gabor": (), "edge": ("wavelength_px",), "colour blob": WAVE, "grey blob": WAVE, "neither": GABOR}
)

Filters = NDArray[np.floating]


def fit_table(weights: Filters, each: Each = iter) -> pd.DataFrame:
    """One row per filter with the columns COLUMNS, from weights, float filters x 3 x k x k; `each` as in `fit_filters`.

    Units are as in `gabor.Gabor`, the colour is its axis. A Gabor has an orientation, a wavelength and a phase, an
    edge has no wavelength (NaN), a blob has none of the three, and what is neither has only its r2. `at_bound` names
    the numbers that a bound of the fit stopped. The columns nearest_... hold all numbers of the Gabor that was fitted,
    whatever the kind: Gabor(...).draw(side) is the fit again. Filters of less than SMALLEST_SIDE pixels cannot hold a
    wave: all are "not fitted", without an r2. Raises what `fit_filters` raises.

    >>> tk.fit_table(tk.first_filters(study, "baseA")).columns[:3].tolist()
    ['filter', 'kind', 'r2']
    """
    side = weights.shape[-1]
    if weights.ndim == 4 and side < SMALLEST_SIDE:
        rows = [{"filter": number, "kind": "not fitted", "side": side} for number in range(len(weights))]
    else:
        rows = [_row(number, fit) | {"side": side} for number, fit in enumerate(fit_filters(weights, each))]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(number: int, fit: FilterFit) -> dict[str, object]:
    numbers = asdict(fit.gabor)
    return {
        "filter": number, "kind": fit.kind, "r2": fit.r2, "residual": fit.residual, "at_bound": " ".join(fit.at_bound),
        **{name: np.nan if name in MEANINGLESS[fit.kind] else value for name, value in numbers.items()},
        **{f"nearest_{name}": value for name, value in numbers.items()},
    }  # fmt: skip


def count_kinds(table: pd.DataFrame) -> dict[Kind, int]:
    """How many filters of each of the KINDS the table of `fit_table` has, or that all are not fitted."""
    kinds: tuple[Kind, ...] = ("not fitted",) if (table["kind"] == "not fitted").any() else KINDS
    return {kind: int((table["kind"] == kind).sum()) for kind in kinds}
