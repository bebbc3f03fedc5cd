"""A Gabor in colour, its fit to the filters of conv1, and what that makes of each: Gabor, colour blob or neither."""

from transferkit.gabor.fit import SMALLEST_SIDE, FilterFit, Kind, fit_filter, fit_filters
from transferkit.gabor.gabor import Gabor

__all__ = ["SMALLEST_SIDE", "FilterFit", "Gabor", "Kind", "fit_filter", "fit_filters"]
