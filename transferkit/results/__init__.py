"""What a grid says: tidy tables with paired differences, means with intervals, tests, and how much more is needed."""

from transferkit.results.advice import Advice, advise, options_of, shuffled_options
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
from transferkit.results.precision import equivalence, further_clusters, predict_next
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
    "COLUMNS",
    "ENOUGH_FOR_INTERVAL",
    "EPOCH_COLUMNS",
    "Advice",
    "Estimate",
    "Over",
    "advise",
    "compare",
    "contrast",
    "equivalence",
    "estimate",
    "further_clusters",
    "layers_of",
    "options_of",
    "pair",
    "predict_next",
    "refuse_incomplete",
    "refuse_mixed",
    "shuffled_options",
    "slope",
    "summarise",
    "tabulate",
    "tabulate_epochs",
]
