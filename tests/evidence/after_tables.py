"""Tables as after.csv, in which what was found after 2014 helps by as many points as one says."""

import numpy as np
import pandas as pd

from course.evidence.after.variants import COLUMNS, NO_SHIFT, OF_IMAGES, Variant, halves_of, variants
from transferkit.config import get_preset
from transferkit.splits import RANDOM_SPLITS


def after_table(later: float, same: float = 0.0, noise: float = 0.05) -> pd.DataFrame:
    """Every variant is as good as its rival, give or take `noise`; those that work after 2014 proposes, `later` better.

    Mean and variance alone come to `same` points beyond copying.
    """
    generator = np.random.default_rng(0)
    rows = []
    for split in RANDOM_SPLITS:
        for variant in variants(get_preset("quick").recipe):
            for target in halves_of(variant):
                top1 = 0.7 + (_effect(variant, later, same) + generator.normal(0, noise)) / 100
                early = 0.5 + (later * (variant.how == "scale alone") + generator.normal(0, noise)) / 100
                shifted = [top1 - 0.2] * len(OF_IMAGES)
                rows.append(
                    ("key", variant.how, variant.n, variant.images_per_class or 160, variant.epochs, variant.rate,
                     variant.shift or NO_SHIFT, split, 0, target, "photos", top1, early, *shifted, 0.1, 1.0)
                )  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _effect(variant: Variant, later: float, same: float) -> float:
    if variant.n == 5:
        return later * 12 / variant.epochs
    if variant.how == "scale alone":
        return same
    shifted = {"first block": OF_IMAGES, "last block": ("labels",)}.get(variant.how, ())
    return later if variant.how in ("probed first", "small rate") or variant.shift in shifted else 0.0
