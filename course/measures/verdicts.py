"""The table of all measures: how each tells AnB, alone and less its selffer, by rank and by held-out predictions."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd

from course.measures.expect import learn_rule, learned_cells
from course.measures.judge import (
    Judged,
    at_fixed_n,
    by_line,
    by_mean,
    error_of,
    is_usual,
    over_n,
    predicted,
    score_of,
    straightness,
)
from course.measures.kept import OF_LENGTHS
from course.measures.names import BEST, MEASURES, N
from course.measures.page import ERROR
from transferkit.disk import atomic
from transferkit.results import estimate
from transferkit.splits import kind_of

FILE = "measures-judged.csv"
TRUTHS = ("AnB", "AnB - BnB", "AnB+")


def judge(cells: pd.DataFrame, measures: Sequence[str] = (N, *MEASURES)) -> pd.DataFrame:
    """Verdicts on `measures`: for each, each truth, and with or without `selffer`, a row for each question.

    Questions: "over n"; "at fixed n" of each data set; "r on random splits"; "error" on each kind of split, in points,
    of a prediction fitted on random splits (for a random split, on the others). There are further ones of BEST: "error"
    and "bias" after each number of epochs of the series that varies it, predicted from bases that have learned, on
    other splits; and "inside", how many means of a split at one n lie in the interval of the rule without that split
    (0..1), of each data set. Columns value, low and high (95 %), splits, cells.
    """
    learned = learned_cells(cells)
    rows = []
    for truth in TRUTHS:
        known = learned.dropna(subset=[truth])
        for measure in measures if len(known) else ():
            for selffer in (False, True) if measure != N else (False,):
                found = _questions(known, measure, truth, selffer=selffer)
                rows += [(truth, measure, selffer, question, *vars(judged).values()) for question, judged in found]
    further = (*_by_length(cells), *_inside(learned))
    rows += [("AnB", BEST, True, question, *vars(judged).values()) for question, judged in further]
    columns = ["truth", "measure", "selffer", "question", *(field.name for field in fields(Judged))]
    return pd.DataFrame(rows, columns=columns)


def _questions(cells: pd.DataFrame, measure: str, truth: str, *, selffer: bool) -> Iterator[tuple[str, Judged]]:
    score = score_of(cells, measure, selffer=selffer)
    yield "over n", over_n(cells, score, cells[truth])
    for data, rows in cells.groupby("data"):
        if len(set(rows["split"])) > 1:
            yield f"at fixed n, {data}", at_fixed_n(rows, score[rows.index], rows[truth])
    usual = is_usual(cells)
    yield "r on random splits", straightness(cells[usual], score[usual], cells[truth][usual])
    fit = by_mean(truth) if measure == N else by_line(measure, truth, selffer=selffer)
    errors = 100 * (cells[truth] - predicted(cells, fit))
    for kind, rows in cells.groupby(cells["split"].map(kind_of)):
        yield f"{ERROR}, {kind}", error_of(errors[rows.index], rows["split"])


def _by_length(cells: pd.DataFrame) -> Iterator[tuple[str, Judged]]:
    """How far predictions are off, and to which side, for bases that were trained for other numbers of epochs."""
    learned, fit = learned_cells(cells), by_line(BEST, "AnB", selffer=True)
    usual = learned[is_usual(learned)]
    for epochs, rows in cells[cells["series"] == OF_LENGTHS].groupby("epochs"):
        parts = [own["AnB"] - fit(usual[usual["split"] != split])(own) for split, own in rows.groupby("split")]
        errors = 100 * pd.concat(parts)
        yield f"{ERROR}, {epochs} epochs", error_of(errors, rows["split"][errors.index])
        if found := estimate(rows.assign(error=errors), "error"):
            low, high = found.interval()
            yield f"bias, {epochs} epochs", Judged(found.value, low, high, found.clusters, found.networks)


def _inside(learned: pd.DataFrame) -> Iterator[tuple[str, Judged]]:
    """How often the interval of the expected curve holds, for splits that its rule has not seen."""
    for data, rows in learned.groupby("data"):
        held = []
        for split in rows["split"].unique():
            own = (learned["data"] == data) & (learned["split"] == split)
            means = learned[own].assign(score=score_of(learned[own], BEST, selffer=True)).groupby("n")[["score", "AnB"]]
            bounds = learn_rule(learned[~own]).expect(means.mean()["score"], str(data))
            held += list(means.mean()["AnB"].between(bounds["low"], bounds["high"]))
        yield f"inside, {data}", Judged(float(np.mean(held)), np.nan, np.nan, len(set(rows["split"])), len(held))


def write_verdicts(cells: pd.DataFrame, folder: Path) -> Path:
    """Write measures-judged.csv from cells as `kept.read_cells` gives them."""
    atomic.write_bytes(folder / FILE, judge(cells).round(4).to_csv(index=False).encode())
    return folder / FILE
