"""The figures that only the lessons and the evidence draw: each is a function from data to a `Picture`."""

from course.figures.comparison import matching, shares
from course.figures.depths import depths
from course.figures.distance import distance
from course.figures.epochs import convergence, dip
from course.figures.growing import growing
from course.figures.halves import HalfSheet, halves
from course.figures.layers import cka, separation
from course.figures.ledger import ledger
from course.figures.lengths import lengths
from course.figures.losses import losses
from course.figures.made import made
from course.figures.prediction import prediction
from course.figures.scaling import scaling
from course.figures.sizes import sizes
from course.figures.steps import steps
from course.figures.supplement import images_per_class
from course.figures.training import training
from course.figures.waves import orientations, spectra

__all__ = [
    "HalfSheet",
    "cka",
    "convergence",
    "depths",
    "dip",
    "distance",
    "growing",
    "halves",
    "images_per_class",
    "ledger",
    "lengths",
    "losses",
    "made",
    "matching",
    "orientations",
    "prediction",
    "scaling",
    "separation",
    "shares",
    "sizes",
    "spectra",
    "steps",
    "training",
]
