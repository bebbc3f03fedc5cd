"""What crosses from a sandbox: plain data, whole, and nothing else."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from course.asking.networks import tensors
from course.asking.plain import Plain, decode, encode, plain
from course.exercises.difference import difference
from transferkit.errors import DataError

NUMBERS = st.floats(allow_nan=False) | st.integers(-(2**53), 2**53) | st.booleans()
LEAVES = (
    st.none()
    | NUMBERS
    | st.text(max_size=8)
    | arrays.arrays(
        st.sampled_from([np.float32, np.int64, np.uint8]),
        arrays.array_shapes(min_dims=0, max_side=3),
        elements={"allow_nan": False, "allow_infinity": False, "min_value": 0, "max_value": 100},
    )
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


@given(VALUES)
def test_what_is_written_is_read(value: Plain) -> None:
    assert difference([value], [decode(encode(value))], 0) == ""


@given(VALUES)
def test_nothing_differs_from_itself(value: Plain) -> None:
    assert difference(value, value) == ""


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(DataError):
        decode(data)


def test_tensors_and_tuples_become_plain_and_objects_do_not() -> None:
    assert difference([np.ones(2, np.float32), 1], plain((torch.ones(2, dtype=torch.bfloat16), np.int64(1)))) == ""
    assert plain({"b", "a"}) == ["a", "b"]
    with pytest.raises(DataError, match="an object"):
        plain([object()])
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(DataError, match="deep"):
        plain(endless)


def test_tensors_are_copies() -> None:
    array = np.zeros(2)
    tensors({"weight": array})["weight"].add_(1)
    assert array.sum() == 0


@pytest.mark.parametrize(
    ("expected", "seen", "words"),
    [
        (np.zeros((3, 4)), np.zeros((4, 3)), "shape (4, 3) instead of (3, 4)"),
        (np.zeros(3), np.array([0, 0.5, 0]), "0.5 instead of 0 at [1]"),
        ([1, 2], [1], "1 instead of 2 items"),
        ({"a": 1.0}, {"b": 1.0}, "no 'a'"),
        ({"a": 1.0}, {"a": 1.0, "b": 2}, "'b', which does not belong there"),
        ({"a": [1, 2]}, {"a": [1, 3]}, "'a' is item 1 is 3 instead of 2"),
        (0.25, float("nan"), "nan instead of 0.25"),
        (1.0, "one", "'one' instead of a number"),
        ("B", "A", "'A' instead of 'B'"),
        (True, 1, "1 instead of True"),
    ],
)
def test_the_first_difference_is_named(expected: Plain, seen: Plain, words: str) -> None:
    assert words in difference(expected, seen)
