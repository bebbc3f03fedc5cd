"""A negative control for the ledger: tables in which nothing depends on the treatment."""

import numpy as np
import pandas as pd

from transferkit.results import pair


def shuffled(table: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """The table with `top1` dealt out anew among all chopped networks; `paired` follows, bases stay as they are.

    Nothing then depends on n or on the treatment: a claim that still holds would hold of noise. Losses stay with
    their rows and no longer belong to the accuracies.
    """
    chopped = table["treatment"] != "base"
    dealt = np.random.default_rng(seed).permutation(table.loc[chopped, "top1"].to_numpy())
    mixed = table.copy()
    mixed.loc[chopped, "top1"] = dealt
    return pair(mixed)
