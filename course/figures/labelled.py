"""Pictures whose markers say what they are under the pointer: labels in percent of the image, without a script."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from transferkit.figures.picture import Picture


class Point(NamedTuple):
    """A place on a picture, in percent from its left and from its top, and what is there."""

    left: float
    top: float
    text: str


@dataclass(frozen=True)
class LabelledPicture(Picture):
    """A picture with a text for each marker of some of its lines. A front end that shows HTML shows them on hovering.

    The points travel with the PNG, in its metadata `points`, so that the book can lay them over the file.
    """

    texts: tuple[tuple[Line2D, tuple[str, ...]], ...] = ()

    def points(self) -> list[Point]:
        """Where the markers are. The figure must have been drawn."""
        width, height = self.figure.bbox.size
        found = []
        for line, texts in self.texts:
            places = line.get_transform().transform(_places(line))
            for (x, y), text in zip(places, texts, strict=True):
                if text:
                    found.append(Point(round(100 * x / width, 2), round(100 - 100 * y / height, 2), text))
        return found

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, dict[str, object]]]:
        data, metadata = super()._repr_mimebundle_()
        points = self.points()
        metadata["image/png"]["points"] = points
        opened, closed = layer_of(points, "title")
        return data | {"text/html": f"{opened}{data['text/html']}{closed}"}, metadata


def layer_of(points: Sequence[Point], attribute: str) -> tuple[str, str]:
    """The HTML before and after an image that lays transparent labels over its points, each text in the attribute."""
    spots = (
        f'<span {attribute}="{escape(text)}" class="{"east" if left < 50 else "west"}" style="position:absolute;'
        f'left:{left}%;top:{top}%;width:2%;aspect-ratio:1;border-radius:50%;transform:translate(-50%,-50%)"></span>'
        for left, top, text in points
    )
    opened = '<div class="labelled" style="position:relative;display:inline-block;max-width:100%">'
    return opened, f"{''.join(spots)}</div>"


def with_labels(picture: Picture, table: pd.DataFrame) -> LabelledPicture:
    """Figure 2 of the rows of `table` with a label per network above, and per mean below.

    Networks say their label, split, seed, accuracy and difference to the base of their pair; a table with the column
    `whose` says which are kept.
    """
    above, below = picture.figure.axes[:2]
    texts = []
    for line in above.lines:
        whose, _, treatment = str(line.get_gid()).rpartition(" ")
        rows = table[table["treatment"] == treatment]
        if "whose" in rows:
            rows = rows[(rows["whose"] == "kept") == (whose == "kept")]
        if len(rows) and len(rows) == len(_places(line)):
            texts.append((line, tuple(_network(row, whose) for row in rows.itertuples())))
    known = set(table["treatment"])
    for line in below.lines:
        whose, _, treatment = str(line.get_gid()).rpartition(" ")
        if treatment in known:
            texts.append((line, tuple(_mean(x, y, treatment, whose) for x, y in _places(line))))
    return LabelledPicture(picture.figure, picture.alt, picture.width, tuple(texts))


def _places(line: Line2D) -> NDArray[np.float64]:
    return np.asarray(line.get_xydata(), dtype=np.float64)


def _network(row: Any, whose: str) -> str:
    said = f"{whose} {row.run}, {row.split}, seed {row.seed}: {100 * row.top1:.1f} %".strip()
    return said if row.treatment == "base" or pd.isna(row.paired) else f"{said}, {_points(row.paired)} base{row.target}"


def _mean(x: float, y: float, treatment: str, whose: str) -> str:
    if x < 0.5:
        return ""
    return f"{whose} {treatment}, n = {round(x)}: on average {_points(y / 100)} base".strip()


def _points(fraction: float) -> str:
    return f"{100 * fraction:+.1f} points against"
