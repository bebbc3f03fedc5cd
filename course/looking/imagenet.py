"""A first layer that ImageNet trained, as fits: measurements of ours, not its weights, to lay beside a reader's own."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from course.looking.kinds import GABOR
from course.looking.sheets import sheet_of
from transferkit.figures import Picture
from transferkit.gabor import Gabor

IMAGENET = "SqueezeNet, on ImageNet"
FITS = Path(__file__).parents[1] / "results" / "imagenet-conv1-fits.csv"


def imagenet_fits() -> pd.DataFrame:
    """The fits to the 96 filters, 7 x 7, of conv1 of SqueezeNet 1.0 (Iandola et al. 2016), as `fit_table` makes them.

    The weights were those published with Han et al. 2016, "Deep Compression", with the channels in the order RGB.
    """
    return pd.read_csv(FITS, dtype={"at_bound": str}).fillna({"at_bound": ""})


def imagenet_sheet(title: str = "Fits to conv1 of SqueezeNet, trained on ImageNet") -> Picture:
    """The sheet of these fits: each tile is the Gabor alone, with kind and R2 of the filter that it was fitted to."""
    table = imagenet_fits()
    return sheet_of(draw_fits(table), table, title)


def draw_fits(table: pd.DataFrame) -> NDArray[np.float64]:
    """The Gabors of a table of `fit_table` as filters, float filters x 3 x k x k: all that the fits explain."""
    gabors = table[[f"nearest_{name}" for name in GABOR]].to_numpy()
    return np.stack([Gabor(*numbers).draw(int(table["side"].iloc[0])) for numbers in gabors.tolist()])
