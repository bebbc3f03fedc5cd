"""The paper's figures and the first layer's, from tidy tables."""

from transferkit.figures.figure1 import describe_treatments, draw_treatments
from transferkit.figures.figure2 import describe_figure2, describe_random, draw_figure2, draw_random, plot_means
from transferkit.figures.figure3 import describe_figure3, draw_figure3
from transferkit.figures.first_layer import describe_conv1, describe_filter_sheet, draw_conv1, draw_filter_sheet
from transferkit.figures.lines import FIGURE2, RANDOM, plot_networks
from transferkit.figures.picture import save, to_png
from transferkit.figures.plateau import on_plateau
from transferkit.figures.readings import Reading, find_readings

__all__ = [
    "FIGURE2",
    "RANDOM",
    "Reading",
    "describe_conv1",
    "describe_figure2",
    "describe_figure3",
    "describe_filter_sheet",
    "describe_random",
    "describe_treatments",
    "draw_conv1",
    "draw_figure2",
    "draw_figure3",
    "draw_filter_sheet",
    "draw_random",
    "draw_treatments",
    "find_readings",
    "on_plateau",
    "plot_means",
    "plot_networks",
    "save",
    "to_png",
]
