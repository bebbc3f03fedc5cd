from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from transferkit.config import Recipe, Setting, get_preset
from transferkit.disk.checkpoints import EpochLog
from transferkit.disk.store import Receipt, Times
from transferkit.errors import DataError
from transferkit.results import (
    COLUMNS,
    ENOUGH_FOR_INTERVAL,
    EPOCH_COLUMNS,
    pair,
    refuse_incomplete,
    summarise,
    tabulate,
    tabulate_epochs,
)
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


def receipt_of(label: str, recipe: Recipe | None = None, seed: int = 0) -> Receipt:
    preset = get_preset("smoke")
    setting = Setting("tiny", "0" * 64, preset.net, recipe or preset.recipe)
    log = (EpochLog(1, 2.0, 0.1, 2.0, 0.3), EpochLog(2, 1.0, 0.0, 1.5, 0.5))
    return Receipt(parse_run(label, "random0", seed), setting, log, {}, {}, {}, "none", Times("now", 1.0, 10.0))


def test_receipts_become_a_row_per_network_and_a_row_per_epoch() -> None:
    receipts = [receipt_of("baseB"), receipt_of("A3B")]
    table = tabulate(receipts)
    assert tuple(table.columns) == COLUMNS
    assert table["paired"].tolist() == [0, 0]
    epochs = tabulate_epochs(receipts)
    assert tuple(epochs.columns) == EPOCH_COLUMNS
    assert epochs[["run", "epoch", "top1"]].to_numpy().tolist() == [
        ["baseB", 1, 0.3], ["baseB", 2, 0.5], ["A3B", 1, 0.3], ["A3B", 2, 0.5]
    ]  # fmt: skip
    assert tabulate([]).empty


@pytest.mark.parametrize("tabulated", [tabulate, tabulate_epochs])
def test_receipts_of_different_settings_are_refused_naming_what_differs(tabulated: Callable[..., object]) -> None:
    longer = replace(get_preset("smoke").recipe, epochs=7, images_per_class=None)
    with pytest.raises(DataError, match=r"baseB and A3B .* recipe.epochs \(2 and 7\), recipe.images_per_class"):
        tabulated([receipt_of("baseB"), receipt_of("A3B", longer)])


def test_a_network_that_is_there_twice_is_refused() -> None:
    with pytest.raises(DataError, match=r"A3B \(random0, seed 0\) is in the table twice"):
        tabulate([receipt_of("baseB"), receipt_of("A3B"), receipt_of("A3B")])
    tabulate([receipt_of("baseB"), receipt_of("baseB", seed=1)])


def test_a_grid_with_a_missing_base_is_refused_naming_the_base() -> None:
    table = tabulate([receipt_of("baseA"), receipt_of("A3B"), receipt_of("B3B")])
    with pytest.raises(DataError, match=r"2 networks have no base .* as A3B \(random0, seed 0\): train baseB"):
        refuse_incomplete(table)
    complete = tabulate([receipt_of("baseB"), receipt_of("A3B")])
    assert refuse_incomplete(complete) is complete


def test_networks_of_a_small_target_set_are_paired_with_the_base_of_as_many_images() -> None:
    whole, small = (
        tabulate([receipt_of("baseB"), receipt_of("A3B")]).assign(top1=top1) for top1 in ([0.7, 0.6], [0.4, 0.5])
    )
    both = pair(pd.concat([whole.assign(images_per_class=100), small.assign(images_per_class=10)]))
    assert both["paired"].tolist() == pytest.approx([0, -0.1, 0, 0.1])
