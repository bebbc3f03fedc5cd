"""How well measures tell what training then finds: by rank over n and at a fixed n, and by the error of a prediction.

Everything falls with n, so a measure that ranks the layers of one network says little: n itself does that best. At a
fixed n a measure has to tell splits apart. Rows are cells: a split, seed, target and n, with its measures, and AnB and
BnB as paired differences (fractions).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit
from scipy.stats import kendalltau

from course.measures.names import SELFFER, N
from transferkit.results.estimate import ENOUGH_FOR_INTERVAL, estimate
from transferkit.splits import kind_of

Floats = NDArray[np.float64]
FITTED_ON = "random"  # the kind of splits on which predictions are fitted; all others are held out


@dataclass(frozen=True)
class Judged:
    """A rank correlation (Kendall's tau) or an error, with its 95 % interval over splits, NaN where these are few."""

    value: float
    low: float
    high: float
    splits: int
    cells: int


def score_of(cells: pd.DataFrame, measure: str, *, selffer: bool) -> pd.Series:
    """A measure of the source's layer by cell; with `selffer`, less that of the target base's own layer.

    The measure "n" is minus n, and has no selffer.
    """
    if measure == N:
        return -cells["n"].astype(float)
    return cells[measure] - cells[f"{measure}{SELFFER}"] if selffer else cells[measure].astype(float)


def over_n(cells: pd.DataFrame, score: pd.Series, truth: pd.Series) -> Judged:
    """The rank correlation over the n of each split, seed and target: their mean, with Student's t over splits.

    A score that is the same at every n has none, NaN.
    """
    table = pd.DataFrame({"split": _place(cells), "seed": cells["seed"], "target": cells["target"]})
    table = table.assign(score=score, truth=truth).dropna()
    rows = [
        (split, seed, kendalltau(rows["score"], rows["truth"]).statistic)
        for (split, seed, _), rows in table.groupby(["split", "seed", "target"])
        if np.ptp(rows["score"]) > 0 and np.ptp(rows["truth"]) > 0
    ]
    found = estimate(pd.DataFrame(rows, columns=["split", "seed", "tau"]), "tau")
    if found is None:
        return Judged(np.nan, np.nan, np.nan, 0, 0)
    enough = found.clusters >= ENOUGH_FOR_INTERVAL
    low, high = found.interval() if enough else (np.nan, np.nan)
    return Judged(found.value, max(low, -1.0), min(high, 1.0), table["split"].nunique(), len(table))


def at_fixed_n(cells: pd.DataFrame, score: pd.Series, truth: pd.Series) -> Judged:
    """The rank correlation over pairs of cells of different splits of the same data, n and number of epochs.

    Every pair whose truth differs counts, over all n. The interval comes from leaving each split out in turn.
    """
    table = cells[["data", "epochs", "n"]].assign(split=_place(cells), score=score, truth=truth).dropna()
    splits, place = np.unique(table["split"], return_inverse=True)
    agreed, pairs = (np.zeros((len(splits), len(splits))) for _ in range(2))
    for _, rows in table.assign(place=place).groupby(["data", "epochs", "n"]):
        one, other = (np.sign(np.subtract.outer(v, v)) for v in (rows["score"].to_numpy(), rows["truth"].to_numpy()))
        where = np.ix_(np.unique(rows["place"]), np.unique(rows["place"]))
        member = (np.unique(rows["place"])[:, None] == rows["place"].to_numpy()).astype(float)
        agreed[where] += member @ (one * other) @ member.T
        pairs[where] += member @ np.abs(other) @ member.T
    np.fill_diagonal(agreed, 0)
    np.fill_diagonal(pairs, 0)
    if not pairs.any() or table.groupby(["data", "epochs", "n"])["score"].nunique().max() < 2:
        return Judged(np.nan, np.nan, np.nan, len(splits), len(table))

    def tau(kept: NDArray[np.bool_]) -> float:
        return float(agreed[kept][:, kept].sum() / max(pairs[kept][:, kept].sum(), 1))

    value, low, high = leaving_one_out(tau, len(splits))
    return Judged(value, max(low, -1.0), min(high, 1.0), len(splits), len(table))


def straightness(cells: pd.DataFrame, score: pd.Series, truth: pd.Series) -> Judged:
    """Pearson's correlation over all cells, whatever their n; NaN where the score or the truth is always the same."""
    names, place = np.unique(_place(cells), return_inverse=True)
    values = np.stack([score.to_numpy(float), truth.to_numpy(float)])

    def correlation(kept: NDArray[np.bool_]) -> float:
        own = values[:, kept[place]]
        return float(np.corrcoef(own)[0, 1]) if np.ptp(own, axis=1).all() else np.nan

    value, low, high = leaving_one_out(correlation, len(names))
    return Judged(value, max(low, -1.0), min(high, 1.0), len(names), len(cells))


def leaving_one_out(statistic: Callable[[NDArray[np.bool_]], float], count: int) -> tuple[float, float, float]:
    """A statistic of all of `count` splits, and its 95 % interval by leaving each out in turn (jackknife).

    The statistic gets which of the splits to use. Bootstrapped splits would give too narrow an interval for so few.
    """
    everything = np.ones(count, dtype=bool)
    value = statistic(everything)
    if count < ENOUGH_FOR_INTERVAL:
        return value, np.nan, np.nan
    without = np.array([statistic(np.arange(count) != split) for split in range(count)])
    error = np.sqrt((count - 1) / count * ((without - without.mean()) ** 2).sum())
    reach = float(stdtrit(count - 1, 0.975) * error)
    return value, value - reach, value + reach


@dataclass(frozen=True)
class Line:
    """What is expected of a cell: intercept + slope x score, in the unit of the truth."""

    intercept: float
    slope: float

    def at(self, score: pd.Series) -> pd.Series:
        """The expected truth."""
        return self.intercept + self.slope * score


def fit_line(score: pd.Series, truth: pd.Series) -> Line:
    """The line of least squares, level where all scores are the same; cells without a truth are left out."""
    known = score.notna() & truth.notna()
    x, y = score[known].to_numpy(float), truth[known].to_numpy(float)
    away = x - x.mean()
    slope = float(away @ y / (away @ away)) if away.any() else 0.0
    return Line(float(y.mean()) - slope * float(x.mean()), slope)


Fit = Callable[[pd.DataFrame], Callable[[pd.DataFrame], pd.Series]]


def predicted(cells: pd.DataFrame, fit: Fit) -> pd.Series:
    """What each cell is expected to come to by a fit that has not seen it.

    A cell of a random split of the first data is predicted from the other random splits, all others from all of these.
    """
    usual = is_usual(cells)
    expected = fit(cells[usual])(cells)
    for split in cells.loc[usual, "split"].unique():
        own = usual & (cells["split"] == split)
        expected[own] = fit(cells[usual & ~own])(cells[own])
    return expected


def is_usual(cells: pd.DataFrame) -> pd.Series:
    """Which cells a prediction is fitted on: those of random splits."""
    return cells["split"].map(lambda split: kind_of(split) == FITTED_ON).astype(bool)


def by_line(measure: str, truth: str, *, selffer: bool) -> Fit:
    """Predict a column of the cells by a line in a measure."""

    def fit(known: pd.DataFrame) -> Callable[[pd.DataFrame], pd.Series]:
        line = fit_line(score_of(known, measure, selffer=selffer), known[truth])
        return lambda asked: line.at(score_of(asked, measure, selffer=selffer))

    return fit


def by_mean(truth: str) -> Fit:
    """Predict a column of the cells by its mean at the same n: what one expects who looks at no image."""

    def fit(known: pd.DataFrame) -> Callable[[pd.DataFrame], pd.Series]:
        means = known.groupby("n")[truth].mean()
        return lambda asked: asked["n"].map(means)

    return fit


def _place(cells: pd.DataFrame) -> pd.Series:
    """Names of splits that no two data sets or lengths of training share."""
    return cells["data"] + " " + cells["epochs"].astype(str) + " " + cells["split"]


def error_of(errors: pd.Series, splits: pd.Series) -> Judged:
    """The root mean square of errors, in their unit, with its interval by leaving each split out in turn."""
    names, place = np.unique(splits, return_inverse=True)
    squares = errors.to_numpy(float) ** 2

    def size(kept: NDArray[np.bool_]) -> float:
        return float(np.sqrt(squares[kept[place]].mean()))

    value, low, high = leaving_one_out(size, len(names))
    return Judged(value, max(low, 0.0), high, len(names), len(errors))
