"""Whether the bases have learned, which decides how Figure 2 is read: only then does zero mean "nothing lost".

The criterion: trained for twice as long, bases gain less than a point (paired, at least four bases of two splits), and
networks on their own base's frozen conv1 (BnB at n = 1) lie within 1.5 points of it. A base that is stopped early fails
both: whatever is trained a second time then lies above it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

MOST_GAIN, MOST_APART = 1.0, 1.5  # points
ENOUGH_BASES, ENOUGH_SPLITS = 4, 2


@dataclass(frozen=True)
class Learned:
    """What `bases` of `splits` gain from twice the epochs, and BnB at n = 1 minus base: points, NaN where not known."""

    gain: float
    bases: int
    splits: int
    selffer: float

    @property
    def verdict(self) -> Literal["learned", "not learned", "not known"]:
        """One measure is enough to show that bases have not learned; it takes both to show that they have."""
        enough = self.bases >= ENOUGH_BASES and self.splits >= ENOUGH_SPLITS
        if (enough and self.gain >= MOST_GAIN) or abs(self.selffer) > MOST_APART:
            return "not learned"
        return "learned" if enough and not np.isnan(self.selffer) else "not known"

    def __str__(self) -> str:
        """The verdict and what it rests on, in sentences."""
        parts = []
        if self.bases:
            on = f"{self.bases} base{'s' * (self.bases > 1)}, {self.splits} split{'s' * (self.splits > 1)}"
            parts.append(f"twice the epochs give {self.gain:+.1f} points ({on})")
        if not np.isnan(self.selffer):
            parts.append(f"BnB at n = 1 lies {self.selffer:+.1f} points from its base")
        opening = {
            "learned": "The bases have learned",
            "not learned": 'The bases have not learned to the end, so that zero is not "nothing lost"',
            "not known": f"Whether the bases have learned is not known ({ENOUGH_BASES} of them, trained for twice as "
            "long, would tell)",
        }[self.verdict]
        return f"{opening}{': ' if parts else ''}{'; '.join(parts)}."


def have_learned(table: pd.DataFrame, longer: pd.DataFrame | None = None) -> Learned:
    """Judge the bases of a table from `tabulate` by the criterion above.

    `longer` is a table of bases trained for twice the epochs; those of the same split, seed and target are paired.
    """
    bases, keys = table[table["treatment"] == "base"], ["split", "seed", "target"]
    pairs = bases.merge(bases[:0] if longer is None else longer, on=keys, suffixes=("", "_longer"))
    pairs = pairs[pairs["treatment_longer"] == "base"]
    gain = 100 * (pairs["top1_longer"] - pairs["top1"]).mean() if len(pairs) else np.nan
    selffer = 100 * table.loc[(table["treatment"] == "BnB") & (table["n"] == 1), "paired"].mean()
    return Learned(float(gain), len(pairs), pairs["split"].nunique(), float(selffer))
