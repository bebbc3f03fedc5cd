"""The paper's figures and the first layer's, from tidy tables: Axes, whole Figures, their descriptions in words."""

from transferkit.figures.alike import describe_cka, draw_cka
from transferkit.figures.comparison import describe_matching, describe_shares, draw_matching, draw_shares
from transferkit.figures.compose import describe_figure2, describe_random, draw_figure2, draw_random
from transferkit.figures.conv1 import describe_conv1, draw_conv1
from transferkit.figures.depths import describe_depths, draw_depths
from transferkit.figures.diagram import describe_treatments, draw_treatments
from transferkit.figures.distance import describe_distance, draw_distance
from transferkit.figures.epochs import describe_convergence, describe_dip, draw_convergence, draw_dip
from transferkit.figures.figure3 import describe_figure3, draw_figure3
from transferkit.figures.first_layer import describe_filter_sheet, draw_filter_sheet
from transferkit.figures.halves import HalfSheet, describe_halves, draw_halves
from transferkit.figures.layers import describe_separation, draw_separation
from transferkit.figures.ledger import describe_ledger, draw_ledger
from transferkit.figures.losses import describe_losses, draw_losses
from transferkit.figures.means import plot_means
from transferkit.figures.options import describe_options, draw_options
from transferkit.figures.page import save, to_png
from transferkit.figures.panels import FIGURE2, RANDOM, plot_networks
from transferkit.figures.plateau import on_plateau
from transferkit.figures.prediction import describe_prediction, draw_prediction
from transferkit.figures.readings import Reading, find_readings
from transferkit.figures.scaling import describe_scaling, draw_scaling
from transferkit.figures.sizes import describe_sizes, draw_sizes
from transferkit.figures.supplement import describe_images_per_class, draw_images_per_class
from transferkit.figures.training import describe_training, draw_training
from transferkit.figures.waves import describe_orientations, describe_spectra, draw_orientations, draw_spectra

__all__ = [
    "FIGURE2",
    "RANDOM",
    "HalfSheet",
    "Reading",
    "describe_cka",
    "describe_conv1",
    "describe_convergence",
    "describe_depths",
    "describe_dip",
    "describe_distance",
    "describe_figure2",
    "describe_figure3",
    "describe_filter_sheet",
    "describe_halves",
    "describe_images_per_class",
    "describe_ledger",
    "describe_losses",
    "describe_matching",
    "describe_options",
    "describe_orientations",
    "describe_prediction",
    "describe_random",
    "describe_scaling",
    "describe_separation",
    "describe_shares",
    "describe_sizes",
    "describe_spectra",
    "describe_training",
    "describe_treatments",
    "draw_cka",
    "draw_conv1",
    "draw_convergence",
    "draw_depths",
    "draw_dip",
    "draw_distance",
    "draw_figure2",
    "draw_figure3",
    "draw_filter_sheet",
    "draw_halves",
    "draw_images_per_class",
    "draw_ledger",
    "draw_losses",
    "draw_matching",
    "draw_options",
    "draw_orientations",
    "draw_prediction",
    "draw_random",
    "draw_scaling",
    "draw_separation",
    "draw_shares",
    "draw_sizes",
    "draw_spectra",
    "draw_training",
    "draw_treatments",
    "find_readings",
    "on_plateau",
    "plot_means",
    "plot_networks",
    "save",
    "to_png",
]
