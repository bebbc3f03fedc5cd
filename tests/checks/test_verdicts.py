"""What a learner reads below a cell."""

from copy import deepcopy

import pytest
from torch import nn

from course.exercises import check, exercises, get_exercise, points
from course.exercises.planted.lesson04 import chop_by_layers, chop_from_the_end
from transferkit.errors import UsageError


def test_a_verdict_names_the_case_and_the_likely_misconception() -> None:
    verdict = check("chop", chop_from_the_end)
    assert str(verdict).startswith("✗ chop: not yet. With n=1 of 3 layers")
    assert "the last n layers were copied" in str(verdict)
    assert "the last n layers were copied" in verdict._repr_html_()


def test_an_error_is_reported_and_not_raised() -> None:
    def chop(base: nn.Sequential, fresh: nn.Sequential, n: int) -> nn.Sequential:
        raise KeyError("<conv9>")

    verdict = check("chop", chop)
    assert verdict.state == "error"
    assert "KeyError: '<conv9>'" in str(verdict)
    assert "&lt;conv9&gt;" in verdict._repr_html_()


def test_points_are_all_or_none() -> None:
    assert points("chop", chop_by_layers) == get_exercise("chop").points == 3
    assert points("chop", lambda base, fresh, n: deepcopy(base)) == 0


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="there is no exercise 'chopp': choose .*chop"):
        get_exercise("chopp")
    with pytest.raises(UsageError, match="lesson '99' has no exercises: choose .*04"):
        exercises("99")
