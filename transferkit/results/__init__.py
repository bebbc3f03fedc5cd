"""From receipts to tidy tables with paired differences, and to means with intervals."""

from transferkit.results.estimate import (
    ENOUGH_FOR_INTERVAL,
    Estimate,
    Over,
    compare,
    contrast,
    estimate,
    slope,
    summarise,
)
from transferkit.results.table import (
    COLUMNS,
    EPOCH_COLUMNS,
    layers_of,
    pair,
    refuse_incomplete,
    refuse_mixed,
    tabulate,
    tabulate_epochs,
)

__all__ = [
    "COLUMNS", "ENOUGH_FOR_INTERVAL", "EPOCH_COLUMNS", "Estimate", "Over", "compare", "contrast", "estimate",
    "layers_of", "pair", "refuse_incomplete", "refuse_mixed", "slope", "summarise", "tabulate", "tabulate_epochs",
]  # fmt: skip
