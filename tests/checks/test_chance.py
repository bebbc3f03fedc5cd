"""The global generators are put back, whatever an answer has done to them."""

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch

from course.exercises.chance import Chance


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
