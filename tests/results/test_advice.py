"""What a grid advises: the choice, what cannot be told from it, and a gain that is free of the winner's curse."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.evidence.advice import advise, options_of, shuffled_options
from tests.figure_tables import grids, table_of
from transferkit.errors import DataError
from transferkit.treatments import parse_run, plan

SEEDS = (0, 1, 2, 3)


def noisy(effect: dict[int, float], noise: float, draw: int) -> pd.DataFrame:
    """AnB+ at n = 1, 3, 5 with these gains (fractions), half B as target, and Gaussian noise on each accuracy."""
    generator = np.random.default_rng(draw)
    labels = [f"A{n}B+" for n in effect]
    table = table_of(*plan("random0", SEEDS, labels))
    gain = table["n"].map({0: 0.0, **effect}).fillna(0.0)
    top1 = 0.7 + gain + noise * generator.normal(size=len(table)) * (table["n"] > 0)
    base = top1.where(table["treatment"] == "base").groupby([table["seed"], table["target"]]).transform("max")
    return table.assign(top1=top1, paired=top1 - base)


def test_the_best_option_is_chosen_and_the_cheapest_that_is_as_good() -> None:
    table = grids(
        ("random0", "random1", "random2"), effect={"base": 0, "BnB": 0, "BnB+": 0, "AnB": -0.01, "AnB+": 0.01, "RnB": 0}
    )
    advice = advise(table)
    assert advice.choice == "A7B+"
    assert advice.gain == pytest.approx(0.07, abs=0.001)
    assert (advice.as_good, advice.cheapest) == (("A7B+",), "A7B+")
    assert advice.checked.over == "splits"


def test_where_nothing_differs_frozen_layers_are_cheapest() -> None:
    nothing = dict.fromkeys(("base", "BnB", "BnB+", "AnB", "AnB+", "RnB"), 0.0)
    advice = advise(grids(("random0",), SEEDS, effect=nothing))
    assert advice.cheapest == "A7B"
    assert "base" in advice.as_good


def test_the_checked_gain_has_no_winners_curse() -> None:
    found = [advise(noisy({1: 0.0, 3: 0.0, 5: 0.0}, 0.02, draw)) for draw in range(80)]
    assert np.mean([one.gain for one in found]) > 0.005
    checked = [one.checked.value for one in found]
    assert abs(np.mean(checked)) < 3 * np.std(checked) / np.sqrt(len(checked))


@given(st.integers(0, 1000))
def test_dealing_out_anew_moves_labels_within_seeds_and_targets_only(seed: int) -> None:
    table = noisy({1: 0.01, 3: 0.02, 5: 0.03}, 0.01, 0)
    dealt = shuffled_options(table, seed)
    for _, group in table.groupby(["seed", "target"]):
        assert sorted(dealt.loc[group.index, "top1"]) == sorted(group["top1"])
    assert (dealt["top1"] - dealt["paired"]).groupby([dealt["seed"], dealt["target"]]).nunique(dropna=True).max() == 1


def test_only_networks_that_the_advice_is_about_are_counted() -> None:
    splits = ("random0", "random1", "random2")
    table = grids(splits)
    controls = table["treatment"].isin(["BnB", "BnB+", "RnB"])
    advice = advise(table)
    assert advice.checked.networks == (table["treatment"].isin(["AnB", "AnB+"])).sum() == 3 * 2 * 2 * 7
    assert advise(table[~controls]) == advice
    seeds = grids(("random0",), SEEDS)
    assert advise(pd.concat([seeds, table[controls]]).drop_duplicates(["run", "split", "seed"])) == advise(seeds)


def test_options_are_named_alike_for_both_targets() -> None:
    table = table_of(*plan("random0", SEEDS, ["A3B", "B3A", "A3B+", "B3A+"]))
    assert list(options_of(table).columns) == ["base", "A3B", "A3B+"]
    assert options_of(table)["base"].eq(0).all()


def test_what_cannot_be_advised_is_refused() -> None:
    with pytest.raises(DataError, match="one seed of one split"):
        advise(table_of(*plan("random0", [0], ["A3B"])))
    with pytest.raises(DataError, match="the same ones in every split and seed"):
        advise(table_of(*plan("random0", [0], ["A3B"]), *plan("random0", [1], ["A5B"])))
    with pytest.raises(DataError, match="needs transfer networks"):
        advise(table_of(*(parse_run("baseB", "random0", seed) for seed in SEEDS)))
