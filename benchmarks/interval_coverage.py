"""How often do intervals for a mean paired difference hold the truth? Tried on simulated grids, in several ways.

    python -m benchmarks.interval_coverage --out course/results/interval-coverage.csv

A grid has S splits x R seeds x 2 targets x 7 chop points. Its paired differences share what ours share: the split
(its classes), the target half, and the base, whose luck is subtracted from all networks of its target and passed on in
part to those that copy from it. The four ways are Student's t over networks, over pairs of split and seed, and over
splits, and the percentile bootstrap of splits. This takes seconds.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
DESIGNS = ((2, 2), (4, 1), (4, 2), (4, 3), (6, 2), (12, 1))
SPREADS = (0.0, 0.5, 1.0)  # points: standard deviation between splits; bases and networks scatter by 0.8
GRIDS = 4000
RESAMPLES = 400


def simulate(splits: int, seeds: int, spread: float, generator: np.random.Generator, grids: int = GRIDS) -> Floats:
    """Paired differences in points around a true mean of zero, float grids x splits x seeds x 2 targets x 7 n."""
    shape = (grids, splits, seeds, 2, 7)

    def effect(scale: float, *kept: int) -> Floats:
        return generator.normal(0, scale, [size if axis in (0, *kept) else 1 for axis, size in enumerate(shape)])

    base = effect(0.8, 1, 2, 3)
    handed_on = 0.3 * base[:, :, :, ::-1]
    return effect(spread, 1) + effect(0.3, 1, 3) + handed_on - base + effect(0.8, 1, 2, 3, 4)


def over_networks(grids: Floats) -> Floats:
    """Student's t as if all networks were independent."""
    return _t_intervals(grids.reshape(len(grids), -1))


def over_split_and_seed(grids: Floats) -> Floats:
    """Student's t over the means of each split and seed."""
    return _t_intervals(grids.mean((3, 4)).reshape(len(grids), -1))


def over_splits(grids: Floats) -> Floats:
    """Student's t over the means of the splits: what `results.estimate` does."""
    return _t_intervals(grids.mean((2, 3, 4)))


def bootstrap(grids: Floats) -> Floats:
    """Percentiles of the mean when the splits are drawn again with replacement."""
    means = grids.mean((2, 3, 4))
    drawn = np.random.default_rng(0).integers(0, means.shape[1], (RESAMPLES, means.shape[1]))
    return np.asarray(np.percentile(means[:, drawn].mean(2), [2.5, 97.5], axis=1))


WAYS: tuple[Callable[[Floats], Floats], ...] = (over_networks, over_split_and_seed, over_splits, bootstrap)


def measure() -> pd.DataFrame:
    """One row per design, spread and way, with the share of intervals that hold the truth, in per cent."""
    generator = np.random.default_rng(0)
    rows = []
    for splits, seeds in DESIGNS:
        for spread in SPREADS:
            grids = simulate(splits, seeds, spread, generator)
            for way in WAYS:
                low, high = way(grids)
                rows.append((splits, seeds, spread, way.__name__, round(100 * np.mean((low <= 0) & (high >= 0)), 1)))
    return pd.DataFrame(rows, columns=["splits", "seeds", "spread_between_splits", "way", "coverage_percent"])


def _t_intervals(values: Floats) -> Floats:
    count = values.shape[1]
    half = stats.t.ppf(0.975, count - 1) * values.std(1, ddof=1) / np.sqrt(count)
    return np.stack([values.mean(1) - half, values.mean(1) + half])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("course/results/interval-coverage.csv"))
    measure().to_csv(parser.parse_args().out, index=False)
