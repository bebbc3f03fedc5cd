"""From receipts to tidy tables with paired differences, and to means with intervals."""

from transferkit.results.estimate import ENOUGH_FOR_INTERVAL, Estimate, estimate, summarise
from transferkit.results.learned import Learned, have_learned
from transferkit.results.table import (
    COLUMNS,
    EPOCH_COLUMNS,
    layers_of,
    pair,
    refuse_incomplete,
    refuse_mixed,
    tabulate,
    tabulate_epochs,
)  # fmt: skip

__all__ = [
    "COLUMNS", "ENOUGH_FOR_INTERVAL", "EPOCH_COLUMNS", "Estimate", "Learned", "estimate", "have_learned", "layers_of",
    "pair", "refuse_incomplete", "refuse_mixed", "summarise", "tabulate", "tabulate_epochs",
]  # fmt: skip
