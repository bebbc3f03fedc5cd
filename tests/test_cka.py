import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.lesson.cka import cka_table
from transferkit.errors import UsageError

SEEDS = st.integers(0, 2**32 - 1)


def features(seed: int, units: int = 7, images: int = 30) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(images, units))


def linear_cka(one: np.ndarray, other: np.ndarray) -> float:
    return float(cka_table({"one": one}, {"other": other}).to_numpy()[0, 0])


@given(SEEDS, st.floats(0.01, 100), st.floats(-5, 5))
def test_turning_mirroring_scaling_and_shifting_do_not_count(seed: int, scale: float, shift: float) -> None:
    one, other = features(seed), features(seed + 1, units=4)
    turn, _ = np.linalg.qr(np.random.default_rng(seed + 2).normal(size=(7, 7)))
    assert linear_cka(one @ turn * scale + shift, other) == pytest.approx(linear_cka(one, other))
    assert linear_cka(one, one @ turn * scale + shift) == pytest.approx(1)


@given(SEEDS)
def test_it_is_between_0_and_1_and_symmetric_and_1_with_itself(seed: int) -> None:
    one, other = features(seed), features(seed + 1, units=3)
    assert 0 <= linear_cka(one, other) <= 1
    assert linear_cka(one, other) == pytest.approx(linear_cka(other, one))
    assert linear_cka(one, one) == pytest.approx(1)


def test_it_equals_the_formula_in_feature_space() -> None:
    one, other = (layer - layer.mean(axis=0) for layer in (features(1), features(2, units=5)))
    cross, own, others = (np.linalg.norm(a.T @ b) for a, b in ((other, one), (one, one), (other, other)))
    assert linear_cka(one, other) == pytest.approx(cross**2 / (own * others))


def test_stretching_one_direction_does_count() -> None:
    one = features(0)
    assert linear_cka(one, one * np.array([100, 1, 1, 1, 1, 1, 1])) < 0.6


def test_noise_is_less_like_than_a_noisy_copy() -> None:
    one = features(0, images=200)
    assert linear_cka(one, features(9, images=200)) < 0.2 < 0.8 < linear_cka(one, one + 0.2 * features(9, images=200))


def test_a_table_holds_every_pair_and_constant_layers_are_unknown() -> None:
    one, other = {"a": features(1), "b": features(2)}, {"c": features(3), "d": np.ones((30, 2))}
    table = cka_table(one, other)
    assert list(table.index) == ["a", "b"]
    assert list(table.columns) == ["c", "d"]
    assert table.loc["b", "c"] == pytest.approx(linear_cka(one["b"], other["c"]))
    assert table["d"].isna().all()


@pytest.mark.parametrize("shapes", [((3, 2), (4, 2)), ((1, 2), (1, 2)), ((3,), (3,))])
def test_features_of_different_images_are_refused(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(UsageError, match="images x units of the same two or more images"):
        linear_cka(np.zeros(shapes[0]), np.zeros(shapes[1]))
