"""Is conv1 of the same kind, whatever it was trained on? From the table of its filters' kinds, a row per base."""

import pandas as pd

from transferkit.results import Estimate, compare, estimate

Table = pd.DataFrame | None


def halves_differ(conv1: Table) -> Estimate | None:
    """The share of Gabors and colour blobs in conv1 of baseA minus that of baseB, on the first data set."""
    if conv1 is None:
        return None
    rows = _structured(conv1)
    rows = rows[rows["data"] == rows["data"].iloc[0]]
    one, two = (rows[rows["target"] == half].set_index(["split", "seed"])["structured"] for half in "AB")
    return estimate((one - two).reset_index(), "structured", networks_per_row=2)


def data_differ(conv1: Table) -> Estimate | None:
    """The share of Gabors and colour blobs in conv1 trained on the first data set minus that on the second."""
    if conv1 is None or conv1["data"].nunique() < 2:
        return None
    rows = _structured(conv1)
    first, second = (estimate(rows[rows["data"] == name], "structured") for name in rows["data"].unique()[:2])
    return compare(first, second)


def alike(conv1: Table) -> Estimate | None:
    """Mean likeness of the best-matched filters of baseA and baseB, minus that to as many filters of white noise."""
    if conv1 is None:
        return None
    rows = conv1[conv1["data"] == conv1["data"].iloc[0]]
    return estimate(rows.assign(lead=rows["likeness"] - rows["likeness_noise"]), "lead")


def _structured(conv1: pd.DataFrame) -> pd.DataFrame:
    return conv1.assign(structured=conv1["gabor"] + conv1["blob"])
