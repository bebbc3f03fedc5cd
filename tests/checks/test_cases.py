"""What cases are made of: drawn tables and held random generators; and how a misconception is named."""

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course.asking.chance import Chance
from course.asking.frame import frame
from course.exercises import cases_of, get_exercise
from course.exercises.tables import COLUMNS, base_top1, draw_table, numbered, without
from transferkit.results import pair
from transferkit.treatments import parse_run

SPLITS = st.lists(st.sampled_from(["random0", "random1", "natural"]), min_size=1, max_size=3, unique=True)


@given(st.integers(0, 2**32 - 1), SPLITS, st.lists(st.integers(0, 9), min_size=1, max_size=2, unique=True))
def test_a_drawn_table_is_balanced_of_true_labels_and_pairs_as_the_library_does(
    seed: int, splits: list[str], seeds: list[int]
) -> None:
    table = frame(draw_table(np.random.default_rng(seed), splits, seeds, ("BnB", "AnB+", "RnB"), (2, 5)))
    assert tuple(table.columns) == COLUMNS
    assert len(table) == len(splits) * len(seeds) * 2 * (1 + 3 * 2)
    for row in table.to_dict("records"):
        run = parse_run(str(row["run"]), str(row["split"]), int(row["seed"]))
        assert (run.treatment, run.target, run.n) == (row["treatment"], row["target"], row["n"])
    assert np.allclose(table["top1"] - base_top1(table), pair(table.assign(paired=0.0))["paired"])


@given(st.integers(0, 2**32 - 1), st.sampled_from(["", "filtered", "shuffled"]))
def test_rows_are_numbered_from_0_rising_or_in_no_order(seed: int, how: str) -> None:
    generator = np.random.default_rng(seed)
    columns = without(draw_table(generator, ["random0"], [0], ("AnB",), (1, 2, 3)), lambda row: row["n"] == 2)
    made = numbered(generator, columns, how)
    table = frame(made["table"], made["index"])
    assert len(table) == 6
    assert table.index.is_unique
    assert (table.index.tolist() == list(range(6))) == (how == "" or table.index.tolist() == [*range(6)])
    assert how == "shuffled" or table.index.is_monotonic_increasing


@pytest.mark.parametrize("name", ["relabel", "hold_out", "audit", "falls_at", "images_to_reach", "no_difference"])
def test_edges_are_posed_whatever_is_drawn(name: str) -> None:
    """Most cases have the same name on every draw: they are not left to luck."""
    exercise = get_exercise(name)
    drawn = [{case.name for case in cases_of(exercise, seed)} for seed in (0, 1, 2)]
    assert len(set.intersection(*drawn)) >= len(drawn[0]) / 2


def test_the_generators_are_as_before_even_after_an_error() -> None:
    with Chance() as outer:
        before = outer.state()
        with pytest.raises(ZeroDivisionError), Chance() as inner:
            inner.set(1)
            assert inner.state() != before
            raise ZeroDivisionError
        assert outer.state() == before


def test_each_of_the_three_is_seen_and_set() -> None:
    draws: tuple[Callable[[], float], ...] = (random.random, np.random.random, lambda: torch.rand(1).item())
    with Chance() as chance:
        for draw in draws:
            chance.set(3)
            state, first = chance.state(), draw()
            assert chance.state() != state
            chance.set(3)
            assert chance.state() == state
            assert draw() == first
