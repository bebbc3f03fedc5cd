import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferkit.errors import UsageError
from transferkit.treatments import CHOP_POINTS, HALVES, TREATMENTS, Run, grid, parse_run, plan


@given(st.integers(0, 2**31), st.integers(0, 71), st.sampled_from(["random0", "natural", "overlap-0.5"]))
def test_labels_parse_and_print_back(seed: int, index: int, split: str) -> None:
    run = grid(split, seed)[index]
    assert parse_run(run.label, split, seed) == run


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


def test_the_grid_is_balanced() -> None:
    runs = grid("random0", 0)
    assert len(runs) == len(set(runs)) == 72
    for target in HALVES:
        for treatment in TREATMENTS[1:]:
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
