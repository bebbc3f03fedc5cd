"""The page over all lessons: the points, each prediction beside its control, and the calibration over all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd

from course.lesson.prediction import Revealed, all_revealed, score
from course.lesson.scores import Points, all_points
from transferkit.disk.prepared import find_work_folder

COLUMNS = ["asked", "off", "control", "unit", "bias", "right side", "right order", "beats control", "made"]
NONE_YET = "No prediction has met its result yet: set the sliders, lock them, and look."


@dataclass(frozen=True)
class Record:
    """What a learner has done so far; it shows itself in a notebook.

    predictions: one row per prediction that met its result, by name, and a last row `all`. Columns: asked; off, the
    mean distance from what came out, in `unit`, and control, that of the naive prediction; bias, the mean of prediction
    minus result; right side and right order as "k of n"; beats control; made, before or after the training. In the row
    `all` these are sums, and medians of off, control and bias. points: one row per lesson: points, of, and exercises
    solved, as "k of n".
    """

    predictions: pd.DataFrame
    points: pd.DataFrame

    def __str__(self) -> str:
        """The sentence above the tables."""
        told = _calibration(self.predictions) if len(self.predictions) else NONE_YET
        return f"{self.points['points'].sum()} of {self.points['of'].sum()} points. {told}"

    def _repr_html_(self) -> str:
        tables = [self.points] + [self.predictions] * bool(len(self.predictions))
        return f"<p>{escape(str(self))}</p>" + "".join(table.to_html(border=0) for table in tables)


def record(work: Path | None = None) -> Record:
    """The points and predictions of all lessons, as the work folder keeps them."""
    folder = work or find_work_folder()
    found = all_revealed(folder)
    rows = pd.DataFrame([_row(one) for one in found], columns=COLUMNS, index=[_name(one) for one in found])
    return Record(pd.concat([rows, _all(found)]) if found else rows, _points(all_points(folder)))


def _points(all_of_them: Sequence[Points]) -> pd.DataFrame:
    table = pd.DataFrame([vars(one) for one in all_of_them])
    table = table.assign(solved=table["score"] == table["of"], exercises=1)
    found = table.groupby("lesson")[["score", "of", "solved", "exercises"]].sum()
    solved = found["solved"].astype(str) + " of " + found["exercises"].astype(str)
    return found[["score", "of"]].rename(columns={"score": "points"}).assign(solved=solved)


def _name(revealed: Revealed) -> str:
    return revealed.prediction.question.name


def _row(revealed: Revealed) -> list[object]:
    asked, found = revealed.prediction.question, score(revealed.prediction, revealed.came)
    return [
        asked.title, round(found.error, 1), round(found.naive_error, 1), asked.difference_unit,
        round(_bias(revealed), 1), f"{found.sides} of {found.places}", f"{found.order} of {found.pairs}",
        "yes" if found.better else "no", "after the training" if revealed.late else "before the training",
    ]  # fmt: skip


def _all(found: Sequence[Revealed]) -> pd.DataFrame:
    scores = [score(one.prediction, one.came) for one in found]
    sides, places, order, pairs, better = (
        sum(getattr(one, name) for one in scores) for name in ("sides", "places", "order", "pairs", "better")
    )
    off, control, bias = (
        round(float(pd.Series(values).median()), 1)
        for values in ([s.error for s in scores], [s.naive_error for s in scores], [_bias(one) for one in found])
    )
    early = sum(not one.late for one in found)
    row = [
        f"{len(found)} predictions", off, control, "median", bias, f"{sides} of {places}", f"{order} of {pairs}",
        f"{better} of {len(found)}", f"{early} of {len(found)} before",
    ]  # fmt: skip
    return pd.DataFrame([row], columns=COLUMNS, index=["all"])


def _calibration(predictions: pd.DataFrame) -> str:
    """The last row in a sentence, with what it asks for."""
    every = predictions.loc["all"]
    lean = "too high" if every["bias"] > 0 else "too low"
    said = f"By the median you lie {abs(every['bias']):g} {lean}." if every["bias"] else "You lean to neither side."
    return (
        f"{every['beats control']} predictions beat somebody who knows nothing; {every['right side']} places were on "
        f"the right side, {every['right order']} pairs in the right order. {said}"
    )


def _bias(revealed: Revealed) -> float:
    return sum(revealed.prediction.values) / len(revealed.came) - sum(revealed.came) / len(revealed.came)
