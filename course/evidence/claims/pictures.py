"""Intervals over the pictures that classes come from.

Splits of one data set are re-partitions of the same classes, so an interval over splits covers what other partitions
of these classes would give. Where several classes come from one picture, as places in a photograph do, it says nothing
of other pictures. An interval over pictures does: everything is measured once for each, on the classes from it alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from course.evidence.claims.judge import Claim
from course.evidence.claims.tables import Evidence
from transferkit.results import ENOUGH_FOR_INTERVAL, Estimate, pair
from transferkit.results.estimate import Over

_KEYS = ["run", "split", "seed", "epochs"]


@dataclass(frozen=True)
class OverPictures(Estimate):
    """An estimate whose clusters are pictures."""

    @property
    def over(self) -> Over:
        """What the clusters are."""
        return "pictures"


@dataclass(frozen=True)
class OnePicture:
    """Networks as the classes from one picture measure them, and how many classes that makes, over all networks."""

    evidence: Evidence
    classes: int


def over_pictures(claim: Claim, found: Estimate, pictures: Sequence[OnePicture]) -> OverPictures | None:
    """The claim's estimate with its error over pictures; None for claims not measured on similar halves alone.

    `pictures` measure the networks that gave `found`. A picture counts by its number of classes, and the error is that
    of a mean of clusters of unequal size.
    """
    if claim.series != "similar":
        return None
    values, classes = [], []
    for picture in pictures:
        one = claim.measure(picture.evidence)
        if one is not None:
            values.append(one.value)
            classes.append(picture.classes)
    count = len(values)
    if count < ENOUGH_FOR_INTERVAL:
        return None
    shares = np.array(classes) / np.sum(classes)
    apart = np.array(values) - shares @ np.array(values)
    error = float(np.sqrt(count / (count - 1) * ((shares * apart) ** 2).sum()))
    return OverPictures(found.value, error, count - 1, count, found.networks)


def of_networks(by_picture: pd.DataFrame | None, table: pd.DataFrame | None) -> list[OnePicture]:
    """The networks of a table by picture, from by-picture.csv; none if one is missing that is not on random filters."""
    if by_picture is None or table is None:
        return []
    wanted = table.loc[table["treatment"] != "RnB", _KEYS]
    rows = by_picture.merge(wanted, on=_KEYS)
    if len(rows[_KEYS].drop_duplicates()) < len(wanted):
        return []
    return [
        OnePicture(Evidence(similar=pair(own.assign(paired=np.nan))), int(own["classes"].sum()))
        for _, own in rows.groupby("picture")
    ]


def by_width(found: Estimate, other: OverPictures | None) -> tuple[Estimate, Estimate | None]:
    """The estimate with the wider interval, and the other one, if there is one."""
    if other is None or not found.freedom > 0:
        return other or found, None
    widths = [high - low for low, high in (found.interval(), other.interval())]
    return (other, found) if widths[1] > widths[0] else (found, other)
