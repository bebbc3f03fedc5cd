"""Shapeworld: drawn classes whose parts are known and counted."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.lesson.parts import shared_parts
from data_prep import shapeworld
from data_prep.rendering import Arguments
from transferkit.splits import make_split

CLASSES = shapeworld.rendered(Arguments()).classes


def shared(overlap: float) -> float:
    """What the two halves of `overlap-x` have in common."""
    split = make_split(f"overlap-{overlap}", [one.natural for one in CLASSES], known_parts=True)
    return shared_parts(split, [one.parts for one in CLASSES])


def test_classes_are_forty_of_each_kind_with_five_parts_and_a_name_of_their_own() -> None:
    assert [sum(one.natural == kind for one in CLASSES) for kind in (False, True)] == [40, 40]
    assert {len(one.parts) for one in CLASSES} == {5}
    assert len({one.parts for one in CLASSES}) == len({one.name for one in CLASSES}) == 80


def test_the_two_vocabularies_share_no_part() -> None:
    man_made, natural = (
        {part for one in CLASSES if one.natural == kind for part in one.parts} for kind in (False, True)
    )
    assert not man_made & natural
    assert all(part.startswith("natural/") for part in natural)


def test_every_part_of_a_category_is_used_by_equally_many_classes() -> None:
    uses = Counter(part for one in CLASSES for part in one.parts)
    for category in {part.rsplit("/", 1)[0] for part in uses}:
        assert len({count for part, count in uses.items() if part.startswith(f"{category}/")}) == 1


@pytest.mark.parametrize("overlap", [0, 0.25, 0.5, 0.75, 1.0])
def test_overlap_halves_share_exactly_that_fraction(overlap: float) -> None:
    assert shared(overlap) == pytest.approx(overlap, abs=1e-12)


@given(st.integers(0, 100).map(lambda percent: percent / 100))
def test_any_overlap_is_met_to_the_rounding_of_whole_classes(overlap: float) -> None:
    assert shared(overlap) == pytest.approx(overlap, abs=1 / 40)


def test_the_same_seed_gives_the_same_bytes_and_another_others() -> None:
    first = shapeworld.rendered(Arguments(seed=3)).draw(41, "train", 4)
    assert first.shape == (4, 3, 48, 48)
    assert np.array_equal(shapeworld.rendered(Arguments(seed=3)).draw(41, "train", 4), first)
    assert not np.array_equal(shapeworld.rendered(Arguments(seed=4)).draw(41, "train", 4), first)
    assert not np.array_equal(shapeworld.rendered(Arguments(seed=3)).draw(41, "valid", 4), first)


def test_colour_does_not_give_the_class_away() -> None:
    drawn = shapeworld.rendered(Arguments())
    means = np.stack(
        [drawn.draw(label, "train", 64).mean(axis=(2, 3)) for label in range(0, 80, 4)]
    )  # classes x 64 x 3
    between, within = means.mean(axis=1).std(axis=0), means.std(axis=1).mean(axis=0)
    assert (between < 0.35 * within).all()  # means of 64 images differ by chance alone: 1 / 8 of the spread within
