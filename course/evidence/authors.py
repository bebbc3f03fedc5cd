"""The authors' own 148 networks, as tables that our statistics and figures can read.

The facts come from the training logs that Yosinski, Clune, Bengio and Lipson (NeurIPS 2014) published with the paper.
The accuracy of a network is the mean of the 10 highest of 450 readings of the validation top-1. Each has one seed. In
the natural split, half A is man-made and half B natural. Networks of all 1000 classes have "all" as split and target.
"""

from collections.abc import Hashable, Mapping
from importlib.resources import files
from typing import Literal, get_args

import numpy as np
import pandas as pd

from transferkit.errors import UsageError
from transferkit.results import COLUMNS, pair

AuthorsFigure = Literal["figure2", "figure3-natural", "figure3-random", "supplement"]
ALL_CLASSES = "all"  # the split of networks that were not trained on a half
AUTHORS_COLUMNS = (*COLUMNS, "images_per_class")


def authors_table(figure: AuthorsFigure) -> pd.DataFrame:
    """The networks behind a figure of the paper, one row each, with the columns AUTHORS_COLUMNS.

    Accuracies are fractions (0..1). Paired differences are against the base of the same target, and in the supplement
    of the same number of images per class. Losses and seconds were not published and are NaN. So are
    `images_per_class` outside the supplement, where networks saw all images. Raises UsageError for another figure.
    """
    if figure not in get_args(AuthorsFigure):
        raise UsageError(f"'{figure}' is no figure of published networks: choose {', '.join(get_args(AuthorsFigure))}.")
    with files("course.evidence").joinpath("authors.csv").open() as file:
        facts = pd.read_csv(file)
    own = facts[facts["figure"] == figure].reset_index(drop=True)
    own["source"] = own["source"].astype(object).where(own["source"].notna(), None)
    table = own.assign(
        run=[_label(row) for row in own.to_dict("records")],
        seed=0,
        **dict.fromkeys(("paired", "train_loss", "valid_loss", "seconds"), np.nan),
    )
    return pair(table[list(AUTHORS_COLUMNS)])


def _label(row: Mapping[Hashable, object]) -> str:
    if row["treatment"] == "base":
        return f"base{row['target']}"
    return f"{row['source']}{row['n']}{row['target']}{'+' if row['finetune'] else ''}"
