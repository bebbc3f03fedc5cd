"""The paper's figures and the first layer's, from tidy tables: each is a function from data to a `Picture`."""

from transferkit.figures.figure1 import figure1
from transferkit.figures.figure2 import figure2, plot_means, random_filters
from transferkit.figures.figure3 import figure3
from transferkit.figures.first_layer import conv1
from transferkit.figures.lines import FIGURE2, RANDOM, plot_networks
from transferkit.figures.picture import Picture, Png
from transferkit.figures.readings import Reading, find_readings
from transferkit.figures.words import on_plateau

__all__ = [
    "FIGURE2", "RANDOM", "Picture", "Png", "Reading", "conv1", "figure1", "figure2", "figure3",
    "find_readings", "on_plateau", "plot_means", "plot_networks",
    "random_filters",
]  # fmt: skip
