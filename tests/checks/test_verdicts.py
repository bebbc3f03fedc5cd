"""What a learner reads below a cell."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course.asking.plain import Plain
from course.exercises import check, exercises, get_exercise, points
from course.exercises.exercise import Case, judge_by
from course.exercises.planted import planted
from course.exercises.planted.lesson04 import chop_by_layers, chop_from_the_end
from course.exercises.slips import SLIPS, likely_cause
from transferkit.errors import UsageError

TREATMENT = planted()["treatment"].right[0]
FORMS = sorted(planted())


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """A process in which a person may interrupt, also when a shell runs the tests behind, where SIGINT is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_verdict_names_the_case_the_points_and_the_likely_misconception() -> None:
    verdict = check("chop", chop_from_the_end)
    assert str(verdict).startswith("✗ chop: not yet (0 of 3 points). With n=2 of 5 layers")
    assert "the last n layers were copied" in str(verdict)
    assert "the last n layers were copied" in verdict._repr_html_()
    assert str(check("chop", chop_by_layers)).startswith("✓ chop: right: 3 of 3 points, in all ")
    assert str(check("output_size", None)).endswith("run this cell again (0 of 1 point).")


def test_an_error_is_reported_and_not_raised() -> None:
    def chop(base: nn.Sequential, fresh: nn.Sequential, n: int) -> nn.Sequential:
        raise KeyError("<conv9>")

    verdict = check("chop", chop)
    assert verdict.state == "error"
    assert "KeyError: '<conv9>'." in str(verdict)
    assert "&lt;conv9&gt;" in verdict._repr_html_()


@pytest.mark.parametrize("problem", [SystemExit, KeyboardInterrupt, GeneratorExit, RecursionError, StopIteration])
def test_whatever_an_answer_raises_stays_in_the_verdict(problem: type[BaseException]) -> None:
    def treatment(label: str) -> str:
        raise problem

    verdict = check("treatment", treatment)
    assert (verdict.state, verdict.score) == ("error", 0)
    assert problem.__name__ in verdict.seen
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_sys_exit_ends_no_check_and_a_person_may_still_interrupt() -> None:
    assert check("treatment", lambda label: sys.exit(1)).state == "error"

    def interrupted(label: str) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        return "base"

    with pytest.raises(KeyboardInterrupt):
        check("treatment", interrupted)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_only_a_stub_is_not_begun() -> None:
    def stub(label: str) -> str | None:
        """It does nothing."""
        return None

    def prints(label: str) -> None:
        str(TREATMENT(label))  # type: ignore[operator]

    def forgets(label: str) -> Any:
        return TREATMENT(label) if "base" in label else None  # type: ignore[operator]

    assert check("treatment", stub).state == check("treatment", None).state == "open"
    for answer in (prints, forgets):
        verdict = check("treatment", answer)
        assert verdict.state == "wrong"
        assert verdict.seen == "your answer returned None: does every way through it end in `return`?"


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("kind", [object, lambda: {"a": 1}, lambda: 1j, lambda: pd.DataFrame({"a": [1]}), lambda: [[]]])
def test_a_result_of_another_form_is_no_error_of_the_code(name: str, kind: Callable[[], object]) -> None:
    verdict = check(name, lambda *_: kind())
    assert verdict.state == "wrong", verdict
    assert "Error" not in verdict.seen
    if "what is asked for is" in verdict.seen:
        assert verdict.seen.endswith(f"what is asked for is {get_exercise(name).form}.")


def test_what_is_no_function_is_named() -> None:
    assert "returned the text 'AnB'" in check("treatment", "AnB").seen
    assert "the class instead of an object of it" in check("treatment", type("Answer", (), {})).seen


def endless() -> Iterator[bool]:
    while True:
        yield True


def test_an_endless_generator_ends() -> None:
    assert "more than" in check("never_learned", lambda losses, classes: endless()).seen


def test_an_error_in_a_generator_is_one_of_the_code() -> None:
    verdict = check("never_learned", lambda losses, classes: (loss < 1 / 0 for loss in losses))
    assert (verdict.state, verdict.seen) == ("error", "ZeroDivisionError: division by zero")


ARRAYS: list[Callable[[Any], object]] = [
    list, tuple, np.array, torch.tensor, pd.Series, iter, lambda items: (one for one in items),
    lambda items: pd.Series(items, index=range(7, 7 + len(items))),
]  # fmt: skip


@pytest.mark.parametrize("form", ARRAYS)
@pytest.mark.parametrize(
    "name",
    ["top1_with_error", "layer_cost", "never_learned", "hold_out", "find_leaks", "fit_wave", "gain_of_task",
     "split_interval", "nearest_mean", "paired_differences"],
)  # fmt: skip
def test_what_a_plain_reading_allows_is_taken(name: str, form: Callable[[Any], object]) -> None:
    right: Any = planted()[name].right[0]
    assert check(name, lambda *given: form([*right(*given)])).state == "passed"


@pytest.mark.parametrize(
    "kind", [float, np.float64, Fraction, np.array, lambda x: torch.tensor(x, dtype=torch.float64)]
)
def test_a_number_may_be_of_any_library(kind: Callable[[Any], object]) -> None:
    right: Any = planted()["shared_parts"].right[0]
    assert check("shared_parts", lambda a, b: kind(right(a, b))).state == "passed"


def test_a_text_may_be_of_numpy_and_a_whole_number_may_have_a_point() -> None:
    name: Any = TREATMENT
    word: Any = planted()["no_difference"].right[0]
    field: Any = planted()["receptive_field"].right[0]
    assert check("treatment", lambda label: np.str_(name(label))).state == "passed"
    assert check("no_difference", lambda *given: np.array(word(*given))).state == "passed"
    assert check("receptive_field", lambda layers: float(field(layers))).state == "passed"


VALUES = st.lists(st.floats(0.01, 0.99), min_size=2, max_size=4, unique=True)
CHANGES: dict[str, Callable[[list[float]], Plain]] = {
    "hundredfold": lambda values: [100 * one for one in values],
    "hundredth": lambda values: [one / 100 for one in values],
    "sign": lambda values: [-one for one in values],
    "order": lambda values: [*values[::-1]],
}


@settings(max_examples=20)
@given(st.sampled_from(sorted(CHANGES)), st.lists(VALUES, min_size=2, max_size=3))
def test_a_slip_is_named_if_all_replies_have_it_and_only_then(slip: str, drawn: list[list[float]]) -> None:
    exercise = deepcopy(get_exercise("fit_wave"))
    cases = [Case(str(number), {"values": values}) for number, values in enumerate(drawn)]
    object.__setattr__(exercise, "right", lambda case: case.given["values"])
    pairs = [(case, CHANGES[slip](case.given["values"])) for case in cases]
    assert likely_cause(exercise, pairs) == (slip, SLIPS[slip])
    assert likely_cause(exercise, [*pairs[:-1], (cases[-1], [7.0] * len(drawn[-1]))]) == ("", "")


def test_a_misconception_is_named_only_if_it_explains_every_reply() -> None:
    wrong: Any = planted()["falls_at"].wrong
    assert check("falls_at", wrong["the mean is below"]).misconception == "mean"
    by_mean, by_last = wrong["the mean is below"], wrong["the last"]
    assert check("falls_at", lambda table: (by_mean if len(table) == 7 else by_last)(table)).misconception == ""


def test_a_judge_names_what_it_compares() -> None:
    judge = judge_by("your sum", lambda case: 3.0)
    finding = judge(Case("any", {}), 1.0)
    assert judge(Case("any", {}), 3.0) is None
    assert finding is not None
    assert finding.seen == "your sum: 1 instead of 3."


def test_points_are_all_or_none() -> None:
    assert points("chop", chop_by_layers) == get_exercise("chop").points == 3
    assert points("chop", lambda base, fresh, n: deepcopy(base)) == 0


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="there is no exercise 'chopp': choose .*chop"):
        get_exercise("chopp")
    with pytest.raises(UsageError, match="lesson '99' has no exercises: choose .*04"):
        exercises("99")
