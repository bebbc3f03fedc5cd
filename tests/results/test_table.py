import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from transferkit.results import COLUMNS, ENOUGH_FOR_INTERVAL, pair, summarise
from transferkit.treatments import Run, grid, parse_run


def table_of(accuracies: dict[Run, float]) -> pd.DataFrame:
    rows = [
        (run.label, run.treatment, run.split, run.seed, run.source, run.target, run.n, run.finetune)
        + (top1, np.nan, 1.0, 1.0, 1.0)
        for run, top1 in accuracies.items()
    ]
    return pair(pd.DataFrame(rows, columns=list(COLUMNS)))


@given(st.lists(st.floats(-0.2, 0.2), min_size=4, max_size=4))
def test_pairing_removes_what_split_seed_and_target_have_in_common(offsets: list[float]) -> None:
    groups = [(seed, target) for seed in (0, 1) for target in "AB"]
    shift = dict(zip(groups, offsets, strict=True))
    runs = [run for seed in (0, 1) for run in grid("random0", seed)]
    effect = {run: 0.5 - 0.01 * run.n for run in runs}
    plain = table_of(effect)
    shifted = table_of({run: top1 + shift[run.seed, run.target] for run, top1 in effect.items()})
    assert np.allclose(plain["paired"], shifted["paired"])
    assert np.allclose(plain["paired"], -0.01 * plain["n"])


def test_a_network_without_its_base_has_no_paired_difference() -> None:
    run = Run("random0", 0, "B", "A", 3)
    assert table_of({run: 0.5})["paired"].isna().all()


@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_the_interval_is_students_t_and_given_only_where_it_can_be(seeds: int) -> None:
    generator = np.random.default_rng(0)
    labels = ("baseA", "baseB", "A3A", "A3B")
    runs = [parse_run(label, "random0", seed) for seed in range(seeds) for label in labels]
    table = table_of({run: float(generator.uniform(0.5, 0.7)) for run in runs})
    chosen = table[table["target"] == "B"]
    summary = summarise(chosen)
    row = summary[(summary["treatment"] == "AnB") & (summary["n"] == 3)].to_dict("records")[0]
    values = chosen[chosen["treatment"] == "AnB"]["paired"]
    assert row["count"] == seeds
    assert row["paired"] == pytest.approx(values.mean())
    if seeds < ENOUGH_FOR_INTERVAL:
        assert np.isnan(row["low"])
    else:
        low, high = stats.t.interval(0.95, seeds - 1, loc=values.mean(), scale=stats.sem(values))
        assert (row["low"], row["high"]) == pytest.approx((low, high))


def test_a_summary_is_in_the_order_of_the_treatments() -> None:
    summary = summarise(table_of(dict.fromkeys(reversed(grid("random0", 0)), 0.5)))
    assert list(dict.fromkeys(summary["treatment"])) == ["base", "BnB", "BnB+", "AnB", "AnB+", "RnB"]
    assert summary.loc[summary["treatment"] == "AnB", "n"].tolist() == list(range(1, 8))
    assert set(summary["count"]) == {2}
