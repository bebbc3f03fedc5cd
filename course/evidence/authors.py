"""The authors' own 148 networks, as tables that our statistics and figures take.

Facts from the training logs that Yosinski, Clune, Bengio and Lipson (NeurIPS 2014) published with the paper: per
network the mean of the 10 highest of 450 readings of the validation top-1. One seed each. In the natural split,
half A is man-made and half B natural. Networks of all 1000 classes have the split and the target "all".
"""

from collections.abc import Hashable, Mapping
from importlib.resources import files
from typing import Literal, get_args

import numpy as np
import pandas as pd

from transferkit.errors import UsageError
from transferkit.results import COLUMNS, pair

AuthorsFigure = Literal["figure2", "figure3-natural", "figure3-random", "supplement"]
AUTHORS_COLUMNS = (*COLUMNS, "images_per_class")


def authors_table(figure: AuthorsFigure) -> pd.DataFrame:
    """The networks behind a figure of the paper, one row each, with the columns AUTHORS_COLUMNS.

    Accuracies and paired differences are fractions (0..1) against the own target's base (in the supplement, that
    of as many images per class); losses and seconds were not published and are NaN, as are `images_per_class`
    outside the supplement: those networks saw all. Raises UsageError for another figure.
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
