"""The paper's figures from tidy tables: matplotlib Axes, whole Figures, and their descriptions in words."""

from transferkit.figures.compose import draw_conv1, draw_figure2, draw_random, save, to_png
from transferkit.figures.panels import FIGURE2, RANDOM, plot_means, plot_networks
from transferkit.figures.words import describe_conv1, describe_figure2, describe_random

__all__ = [
    "FIGURE2",
    "RANDOM",
    "describe_conv1",
    "describe_figure2",
    "describe_random",
    "draw_conv1",
    "draw_figure2",
    "draw_random",
    "plot_means",
    "plot_networks",
    "save",
    "to_png",
]
