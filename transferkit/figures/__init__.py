"""The paper's figures and the first layer's, from tidy tables: Axes, whole Figures, their descriptions in words."""

from transferkit.figures.comparison import describe_matching, describe_shares, draw_matching, draw_shares
from transferkit.figures.compose import describe_figure2, describe_random, draw_figure2, draw_random
from transferkit.figures.conv1 import describe_conv1, draw_conv1
from transferkit.figures.first_layer import describe_filter_sheet, draw_filter_sheet
from transferkit.figures.means import plot_means
from transferkit.figures.page import save, to_png
from transferkit.figures.panels import FIGURE2, RANDOM, plot_networks
from transferkit.figures.waves import describe_orientations, describe_spectra, draw_orientations, draw_spectra

__all__ = [
    "FIGURE2",
    "RANDOM",
    "describe_conv1",
    "describe_figure2",
    "describe_filter_sheet",
    "describe_matching",
    "describe_orientations",
    "describe_random",
    "describe_shares",
    "describe_spectra",
    "draw_conv1",
    "draw_figure2",
    "draw_filter_sheet",
    "draw_matching",
    "draw_orientations",
    "draw_random",
    "draw_shares",
    "draw_spectra",
    "plot_means",
    "plot_networks",
    "save",
    "to_png",
]
