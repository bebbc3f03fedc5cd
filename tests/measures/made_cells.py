"""Made-up cells whose truth is known: what a measure says, its selffer, and what training finds."""

import numpy as np
import pandas as pd

SPLITS = ("random0", "random1", "random2", "random3", "apart0", "apart1", "apart2", "apart3", "natural")
POINTS = range(1, 8)


def made_cells(
    seed: int, splits: tuple[str, ...] = SPLITS, slope: float = 0.8, of_split: float = 0.01, noise: float = 0.005
) -> pd.DataFrame:
    """The column `logistic` less its selffer tells AnB by a line of this slope, up to noise of splits and of cells.

    The selffer itself rises with n, faster than the difference falls, as features of the own base do.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for split in splits:
        loss, shift = rng.uniform(0.02, 0.05), of_split * rng.normal()
        for target in "AB":
            for n in POINTS:
                difference = -loss * (n - 1) + 0.003 * rng.normal()
                own = 0.5 + 0.06 * n + 0.01 * rng.normal()
                found = slope * difference + shift + noise * rng.normal()
                rows.append(("photos", 32, split, 0, target, n, own + difference, own, found))
    columns = ["data", "epochs", "split", "seed", "target", "n", "logistic", "logistic_selffer", "AnB"]
    return pd.DataFrame(rows, columns=columns)
