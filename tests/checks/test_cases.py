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
from course.exercises.exercise import Case, judge_by
from course.exercises.tables import COLUMNS, base_top1, draw_table
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


def test_the_first_misconception_that_gives_the_same_answer_is_named() -> None:
    judge = judge_by("your sum", lambda case: 3.0, {"first": lambda case: 1.0, "same": lambda case: 1.0})
    case = Case("any", {})
    assert judge(case, 3.0) is None
    named, unnamed = judge(case, 1.0), judge(case, 2.0)
    assert named is not None
    assert unnamed is not None
    assert (named.misconception, unnamed.misconception) == ("first", "")
    assert named.seen == "your sum: 1 instead of 3."


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
