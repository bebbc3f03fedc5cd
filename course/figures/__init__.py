"""The figures that only the lessons and the evidence draw."""

from course.figures.alike import describe_cka, draw_cka
from course.figures.comparison import describe_matching, describe_shares, draw_matching, draw_shares
from course.figures.depths import describe_depths, draw_depths
from course.figures.distance import describe_distance, draw_distance
from course.figures.epochs import describe_convergence, describe_dip, draw_convergence, draw_dip
from course.figures.halves import HalfSheet, describe_halves, draw_halves
from course.figures.layers import describe_separation, draw_separation
from course.figures.ledger import describe_ledger, draw_ledger
from course.figures.losses import describe_losses, draw_losses
from course.figures.options import describe_options, draw_options
from course.figures.prediction import describe_prediction, draw_prediction
from course.figures.scaling import describe_scaling, draw_scaling
from course.figures.sizes import describe_sizes, draw_sizes
from course.figures.supplement import describe_images_per_class, draw_images_per_class
from course.figures.training import describe_training, draw_training
from course.figures.waves import describe_orientations, describe_spectra, draw_orientations, draw_spectra

__all__ = [
    "HalfSheet",
    "describe_cka",
    "describe_convergence",
    "describe_depths",
    "describe_dip",
    "describe_distance",
    "describe_halves",
    "describe_images_per_class",
    "describe_ledger",
    "describe_losses",
    "describe_matching",
    "describe_options",
    "describe_orientations",
    "describe_prediction",
    "describe_scaling",
    "describe_separation",
    "describe_shares",
    "describe_sizes",
    "describe_spectra",
    "describe_training",
    "draw_cka",
    "draw_convergence",
    "draw_depths",
    "draw_dip",
    "draw_distance",
    "draw_halves",
    "draw_images_per_class",
    "draw_ledger",
    "draw_losses",
    "draw_matching",
    "draw_options",
    "draw_orientations",
    "draw_prediction",
    "draw_scaling",
    "draw_separation",
    "draw_shares",
    "draw_sizes",
    "draw_spectra",
    "draw_training",
]
