"""Counts and seeds from outside, as papermill's `-p seed 1.0`, are whole numbers or refused in one sentence."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferkit.config import Recipe, digest, get_preset
from transferkit.errors import UsageError, whole
from transferkit.randomness import seed_from

KINDS = [int, np.int8, np.uint16, np.int64]
NOT_WHOLE: list[Any] = [1.0, 2.5, np.float32(3), float("nan"), float("inf"), True, np.bool_(True), "1", [1], np.ones(1)]


@given(st.integers(1, 100), st.sampled_from(KINDS))
def test_an_integer_of_any_kind_is_that_number(number: int, kind: type) -> None:
    found = whole("seed", kind(number), 0)
    assert (found, type(found)) == (number, int)
    assert seed_from("views", kind(number)) == seed_from("views", number) != seed_from("views", str(number))


@pytest.mark.parametrize("value", NOT_WHOLE)
@pytest.mark.parametrize("name", ["epochs", "batch_size", "images_per_class"])
def test_a_recipe_counts_in_whole_numbers(name: str, value: Any) -> None:
    usual: dict[str, Any] = {"epochs": 2, "batch_size": 16, "learning_rate": 0.02}
    with pytest.raises(UsageError, match=rf"{name} is a whole number, not .*: give one of 1 or more, without a point"):
        Recipe(**usual | {name: value})
    with pytest.raises(UsageError, match=f"{name}=0 is too small: give a whole number of 1 or more"):
        Recipe(**usual | {name: 0})
    numpys = Recipe(**usual | {name: np.int64(7)})
    assert digest(numpys) == digest(Recipe(**usual | {name: 7}))


@pytest.mark.parametrize("epochs", NOT_WHOLE)
def test_a_preset_is_trained_for_a_whole_number_of_epochs(epochs: Any) -> None:
    with pytest.raises(UsageError, match="epochs is a whole number, not "):
        get_preset("smoke", epochs)
    assert get_preset("smoke", np.int64(3)).recipe == get_preset("smoke", 3).recipe  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [1.0, None, "1.0"])
def test_randomness_is_keyed_by_texts_and_integers_alone(key: Any) -> None:
    if isinstance(key, str):
        assert seed_from(key) != seed_from("1")
    else:
        with pytest.raises(TypeError):
            seed_from(key)
