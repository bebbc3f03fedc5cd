"""Freeze or fine-tune: the better choice by size of the target set, and whether the worse over- or under-fits."""

import pandas as pd

from course.evidence.claims.judge import interval_of
from course.evidence.statistics import contrast

_KEYS = ["split", "seed", "target", "n", "images_per_class"]


def diagnose_sizes(sizes: pd.DataFrame) -> pd.DataFrame:
    """AnB+ minus AnB in top1 (fraction), train_loss and valid_loss (nats) for each images_per_class and n.

    These are means over `count` matched pairs. `worse` is the treatment with the higher validation loss; `because` is
    "over-fitting" if its training loss is lower than the other's, "under-fitting" if that is higher as well.
    """
    columns = ["top1", "train_loss", "valid_loss"]
    tuned, frozen = (sizes[sizes["treatment"] == name].set_index(_KEYS)[columns] for name in ("AnB+", "AnB"))
    differences = (tuned - frozen).dropna().reset_index()
    grouped = differences.groupby(["images_per_class", "n"])
    means = grouped[columns].mean().assign(count=grouped.size()).reset_index()
    tuned_is_worse = means["valid_loss"] > 0
    over = tuned_is_worse == (means["train_loss"] < 0)
    return means.assign(
        worse=tuned_is_worse.map({True: "AnB+", False: "AnB"}),
        because=over.map({True: "over-fitting", False: "under-fitting"}),
    )


def advise_by_size(sizes: pd.DataFrame) -> pd.DataFrame:
    """AnB+ minus AnB (`gain`, points), its 95 % interval over splits, and the advice, for each images_per_class and n.

    `advice` is "fine-tune" or "freeze" where the whole interval lies on one side of zero, else "either"; one split
    has no interval. `count` is the number of networks.
    """
    rows = []
    for (size, n), group in sizes[sizes["n"] > 0].groupby(["images_per_class", "n"]):
        found = contrast(group, "AnB+", "AnB")
        if found is None:
            continue
        low, high = (100 * bound for bound in interval_of(found))
        advice = "fine-tune" if low > 0 else "freeze" if high < 0 else "either"
        rows.append((size, n, 100 * found.value, low, high, advice, found.networks))
    return pd.DataFrame(rows, columns=["images_per_class", "n", "gain", "low", "high", "advice", "count"])
