"""Is conv1 of the same kind, whatever it was trained on? From the table of its filters' kinds, a row per base."""

import pandas as pd

from course.evidence.claims.tables import on_dial
from transferkit.results import Estimate, compare, estimate

Table = pd.DataFrame | None


def halves_differ(conv1: Table) -> Estimate | None:
    """The share of Gabors and colour blobs in conv1 of baseA minus that of baseB; the dial's bases are left out."""
    if conv1 is None or on_dial(conv1).all():
        return None
    rows = _structured(conv1[~on_dial(conv1)])
    one, two = (rows[rows["target"] == half].set_index(["split", "seed"])["structured"] for half in "AB")
    return estimate((one - two).reset_index(), "structured", networks_per_row=2)


def data_differ(conv1: Table) -> Estimate | None:
    """The share of Gabors and colour blobs in conv1 trained as in all studies minus that on the dial's other data."""
    if conv1 is None or conv1["data"].nunique() < 2:
        return None
    rows = _structured(conv1)
    first, second = rows[~on_dial(rows)], rows[on_dial(rows)]
    others = second[~second["data"].isin(first["data"])]
    return compare(estimate(first, "structured"), estimate(others, "structured"))


def alike(conv1: Table) -> Estimate | None:
    """Mean likeness of the best-matched filters of baseA and baseB, minus that to as many filters of white noise.

    The dial's bases are left out.
    """
    if conv1 is None or on_dial(conv1).all():
        return None
    rows = conv1[~on_dial(conv1)]
    return estimate(rows.assign(lead=rows["likeness"] - rows["likeness_noise"]), "lead")


def _structured(conv1: pd.DataFrame) -> pd.DataFrame:
    return conv1.assign(structured=conv1["gabor"] + conv1["blob"])
