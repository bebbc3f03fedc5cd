import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferkit.config import digest
from transferkit.errors import UsageError
from transferkit.treatments import CHOP_POINTS, HALVES, MADE, Half, Made, Run, grid, parse_run, plan


@given(st.integers(0, 2**31), st.integers(0, 71), st.sampled_from(["random0", "natural", "overlap-0.5"]))
def test_labels_parse_and_print_back(seed: int, index: int, split: str) -> None:
    run = grid(split, seed)[index]
    assert parse_run(run.label, split, seed) == run


@given(st.integers(0, 2**31), st.sampled_from(list(MADE)), st.sampled_from(HALVES), st.booleans())
def test_a_made_conv1_has_a_label_that_prints_back_and_is_paired_with_the_base_it_changes(
    seed: int, made: Made, target: Half, finetune: bool
) -> None:
    run = Run("random0", seed, target, made, 1, finetune)
    assert parse_run(run.label, "random0", seed) == run
    assert run.treatment == f"{made}nB{'+' * finetune}"
    assert run.source_base == run.target_base == parse_run(f"base{target}", "random0", seed)
    with pytest.raises(UsageError, match=f"source {made} makes filters for conv1 alone: n is 1, not 2"):
        parse_run(f"{made}2{target}", "random0", seed)


@pytest.mark.parametrize(
    ("label", "treatment"),
    [("baseB", "base"), ("B3B", "BnB"), ("A3A+", "BnB+"), ("B5A", "AnB"), ("A3B+", "AnB+"), ("R3B", "RnB")],
)
def test_a_treatment_is_named_after_target_b_whatever_the_half(label: str, treatment: str) -> None:
    assert parse_run(label, "random0", 0).treatment == treatment


@given(st.text(max_size=6))
def test_every_text_is_a_label_that_prints_back_or_is_refused(text: str) -> None:
    try:
        assert parse_run(text, "random0", 0).label == text
    except UsageError as refusal:
        assert "n" in str(refusal)


@pytest.mark.parametrize("label", ["A100B", "A0B", "R3B+", "baseC", "C3B", "A3", "a3b", "A3B++", "", "A03B", "A³B"])
def test_unknown_labels_are_refused(label: str) -> None:
    with pytest.raises(UsageError):
        parse_run(label, "random0", 0)


@pytest.mark.parametrize("n", [-1, 100])
def test_n_outside_0_to_99_is_refused_with_what_is_allowed(n: int) -> None:
    with pytest.raises(UsageError, match=rf"n={n} .* 1 to 99, or 0"):
        Run("random0", 0, "B", "A", n)


@given(st.integers(0, 2**31), st.sampled_from([np.int64, np.uint32, int]))
def test_numpys_integers_are_whole_numbers_and_become_pythons(seed: int, kind: type) -> None:
    run, same = Run("random0", kind(seed % 2**31), "B", "A", kind(3)), Run("random0", seed % 2**31, "B", "A", 3)
    assert (run, run.label, digest(run)) == (same, same.label, digest(same))


NOT_WHOLE = st.one_of(
    st.floats(allow_nan=False), st.booleans(), st.text(max_size=3), st.none(), st.floats(0, 9).map(np.float64),
    st.integers(0, 9).map(lambda number: np.array([number])), st.integers(0, 9).map(str),
)  # fmt: skip


@given(NOT_WHOLE)
def test_what_is_no_whole_number_is_no_seed_and_no_n(value: object) -> None:
    for build in (
        lambda: Run("random0", value, "B"),  # type: ignore[arg-type]
        lambda: plan("random0", [value]),  # type: ignore[list-item]
        lambda: parse_run("A3B", "random0", value),  # type: ignore[arg-type]
    ):
        with pytest.raises(UsageError, match="seed is a whole number, not "):
            build()
    with pytest.raises(UsageError, match="n is a whole number, not "):
        Run("random0", 0, "B", "A", value)  # type: ignore[arg-type]


@given(st.integers(max_value=-1))
def test_a_seed_below_zero_is_refused_with_what_is_allowed(seed: int) -> None:
    with pytest.raises(UsageError, match=f"seed={seed} is too small: give a whole number of 0 or more"):
        plan("random0", [0, seed])


def test_the_grid_is_balanced() -> None:
    runs = grid("random0", 0)
    assert len(runs) == len(set(runs)) == 72
    for target in HALVES:
        for treatment in ("BnB", "BnB+", "AnB", "AnB+", "RnB"):
            chosen = [run.n for run in runs if run.target == target and run.treatment == treatment]
            assert sorted(chosen) == list(CHOP_POINTS)
        assert sum(run.treatment == "base" and run.target == target for run in runs) == 1


@given(st.lists(st.integers(0, 71), max_size=5), st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True))
def test_a_plan_names_each_base_before_what_needs_it_and_nothing_twice(chosen: list[int], seeds: list[int]) -> None:
    labels = [grid("natural", 0)[index].label for index in chosen]
    runs = plan("natural", seeds, labels)
    assert len(runs) == len(set(runs))
    for position, run in enumerate(runs):
        for base in (run.source_base, run.target_base):
            assert base is None or base in runs[: position + 1]
