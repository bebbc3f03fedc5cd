"""The curve of AnB that two bases let expect, before any layer is copied, with an interval from held-out errors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from course.evidence.claims import read_evidence
from course.evidence.collect import kept_evidence
from course.measures.cells import measure
from course.measures.judge import Line, by_line, fit_line, is_usual, predicted, score_of
from course.measures.kept import OF_LENGTHS, read_cells
from course.measures.names import BEST
from transferkit.errors import DataError
from transferkit.training.study import Study
from transferkit.treatments import LAYERS, Run, grid

TRUTH = "AnB"


@dataclass(frozen=True)
class Reach:
    """How far predictions were off on splits that they were not fitted on.

    depths: of the chop points, 0 for n = 1 to 1 for the last; half: half of the 95 % interval of the mean of a further
    split at each depth, fractions; splits: how many were tried.
    """

    depths: NDArray[np.float64]
    half: NDArray[np.float64]
    splits: int


@dataclass(frozen=True)
class Rule:
    """How AnB is expected: a line in the score of BEST, and its reach on the `data` it was fitted on, and elsewhere.

    cells and splits: how many the line was fitted on; tried: the data and numbers of epochs of all cells.
    """

    line: Line
    data: str
    cells: int
    splits: int
    here: Reach
    elsewhere: Reach | None
    tried: frozenset[tuple[str, int]]

    def reach(self, data: str) -> Reach:
        """How far predictions are off on these data; on others than any that were tried, as far as on those."""
        return self.here if data == self.data or self.elsewhere is None else self.elsewhere

    def expect(self, score: pd.Series, data: str, layers: int = len(LAYERS)) -> pd.DataFrame:
        """Columns expected, low and high, fractions, for the mean score at each n, its index, of a net of `layers`."""
        reach, expected = self.reach(data), self.line.at(score)
        half = np.interp(_depth(score.index, layers), reach.depths, reach.half)
        return pd.DataFrame({"expected": expected, "low": expected - half, "high": expected + half})


def learn_rule(cells: pd.DataFrame) -> Rule:
    """The rule from cells as `kept.read_cells` gives them, of bases that have learned, fitted on random splits.

    Raises DataError unless these are of one data set.
    """
    known = cells.dropna(subset=[TRUTH])
    usual, score = known[is_usual(known)], score_of(known, BEST, selffer=True)
    names = usual["data"].unique()
    if len(names) != 1:
        raise DataError(f"random splits of {len(names)} data sets cannot be fitted: give cells of one.")
    errors = known[TRUTH] - predicted(known, by_line(BEST, TRUTH, selffer=True))
    here = known["data"] == names[0]
    elsewhere = None if here.all() else _reach(known[~here], errors[~here])
    line = fit_line(score[usual.index], usual[TRUTH])
    tried = frozenset((str(data), int(epochs)) for data, epochs in zip(known["data"], known["epochs"], strict=True))
    reach = _reach(known[here], errors[here])
    return Rule(line, str(names[0]), len(usual), usual["split"].nunique(), reach, elsewhere, tried)


def _reach(cells: pd.DataFrame, errors: pd.Series) -> Reach:
    """Each split gives one error at each n, the mean over its targets and seeds.

    The interval is Student's t of their mean square about zero, so that a bias that all share widens it. An n that was
    tried on fewer splits than others lies between these: where only splits like those of the fit were tried, the
    interval would be too narrow for other kinds.
    """
    means = errors.groupby([cells["n"], cells["data"] + cells["split"]]).mean().groupby("n")
    half: pd.Series = means.apply(lambda each: float(stdtrit(len(each), 0.975) * np.sqrt((each**2).mean())))
    half = half[means.size() == means.size().max()]
    return Reach(_depth(half.index, len(LAYERS)).to_numpy(), half.to_numpy(), cells["split"].nunique())


def kept_rule(data: str = "", split: str = "") -> Rule:
    """The rule of the tables that come with the repository, without their cells of this split of these data.

    So networks of that split, which it is to be compared with, took no part. Raises DataError outside a checkout.
    """
    folder = kept_evidence()
    if folder is None:
        raise DataError("the kept measures are not here: predict from a checkout of the repository, which has them.")
    cells = learned_cells(read_cells(folder, read_evidence(folder)))
    return learn_rule(cells[(cells["data"] != data) | (cells["split"] != split)])


def learned_cells(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells whose bases have learned: all but those of the series that varies the length of training."""
    return cells[cells["series"] != OF_LENGTHS]


def expected_curve(
    study: Study, split: str = "random0", seeds: Sequence[int] = (0,), rule: Rule | None = None
) -> pd.DataFrame:
    """What AnB is expected to come to, from the bases of a split alone, and what it came to where it is trained.

    A row for each n: `expected` and its 95 % interval `low` to `high`, the mean over targets and seeds; `trained`, the
    mean over the `networks` that are trained, NaN without any. All are paired differences (fractions). `rule` is that
    of `kept_rule` unless another is given. Raises StoreError when a base is not trained, and as `kept_rule`.
    """
    rule, layers = rule or kept_rule(study.setting.data, split), study.setting.net.layers
    points = range(1, len(layers))
    measured = pd.concat([measure(study, split, seed, points, [BEST]) for seed in seeds])
    score = score_of(measured, BEST, selffer=True).groupby(measured["n"]).mean()
    table = rule.expect(score, study.setting.data, len(layers))
    return table.join(trained_means(study, split, seeds)).rename_axis("n").reset_index()


def trained_means(study: Study, split: str, seeds: Sequence[int]) -> pd.DataFrame:
    """By n: the mean paired difference of the AnB that are trained, `trained`, and their number, `networks`."""
    layers = study.setting.net.layers
    runs = [run for seed in seeds for run in grid(split, seed, layers) if run.treatment == "AnB"]
    rows = [(run.n, _paired(study, run)) for run in runs]
    table = pd.DataFrame(rows, columns=["n", "paired"]).groupby("n")["paired"]
    return pd.DataFrame({"trained": table.mean(), "networks": table.count()})


def _paired(study: Study, run: Run) -> float:
    own, base = (study.store.find(one, study.setting) for one in (run, run.target_base))
    return own.final.top1 - base.final.top1 if own and base else np.nan


def _depth(points: pd.Index, layers: int) -> pd.Series:
    """How deep each chop point is: 0 for n = 1, 1 for the last."""
    return pd.Series((points.to_numpy(float) - 1) / max(layers - 2, 1), index=points)
