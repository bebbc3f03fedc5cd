import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.lesson.parts import shared_parts
from transferkit.errors import DataError, UsageError
from transferkit.splits import RANDOM_SPLITS, ClassSplit, is_of_kind, kind_of, make_split

FLAGS = [index % 2 == 0 for index in range(80)]


@pytest.mark.parametrize("name", RANDOM_SPLITS)
def test_random_splits_of_1000_classes_follow_the_authors_rule(name: str) -> None:
    rule = (
        f"import numpy; numpy.random.seed([{name[-1]}]);"
        "print(*sorted(numpy.random.choice(numpy.arange(1000), 500, replace=False)))"
    )
    half_a = [int(index) for index in subprocess.check_output([sys.executable, "-c", rule], text=True).split()]
    split = make_split(name, [False] * 1000)
    assert split.half_a == tuple(half_a)
    assert split.half_b == tuple(sorted(set(range(1000)) - set(half_a)))


def test_a_split_has_a_kind_and_no_other_name_has_one() -> None:
    kinds = {
        "random0": "random",
        "random9999": "random",
        "natural": "natural",
        "overlap-0.3": "overlap",
        "overlap-1.0": "overlap",
    }
    for name, kind in kinds.items():
        assert make_split(name, FLAGS, known_parts=True).kind == kind
        assert is_of_kind(name, kind, "apart")
        assert not is_of_kind(name, "apart")
    for name in ("random", "random01", "random10000", "Natural", "overlap-2", ""):
        assert not is_of_kind(name, "random", "apart", "natural", "overlap")
        with pytest.raises(UsageError, match="is no split: choose random0"):
            kind_of(name)


def test_any_further_number_is_another_random_split() -> None:
    halves = {make_split(f"random{number}", FLAGS).half_a for number in range(40)}
    assert len(halves) == 40
    assert {len(half) for half in halves} == {40}


@given(st.sampled_from([*RANDOM_SPLITS, "natural", "overlap-0", "overlap-0.3", "overlap-1"]), st.integers(2, 60))
def test_halves_are_disjoint_and_complete(name: str, pairs: int) -> None:
    flags = [False, True] * pairs
    split = make_split(name, flags, known_parts=True)
    assert sorted(split.half_a + split.half_b) == list(range(len(flags)))
    assert not set(split.half_a) & set(split.half_b)


PHOTOGRAPHS = st.lists(st.tuples(st.booleans(), st.integers(1, 9)), min_size=4, max_size=14)


@given(PHOTOGRAPHS, st.integers(0, 50))
def test_halves_apart_share_no_group_and_hold_either_kind_as_evenly_as_can_be(
    photographs: list[tuple[bool, int]], number: int
) -> None:
    groups = [str(place) for place, (_, size) in enumerate(photographs) for _ in range(size)]
    flags = [kind for kind, size in photographs for _ in range(size)]
    if len(groups) == len(photographs) or {[kind for kind, _ in photographs].count(kind) for kind in (False, True)} & {
        0,
        1,
    }:
        with pytest.raises(UsageError, match=f"split apart{number} needs several classes of one group"):
            make_split(f"apart{number}", flags, groups=groups)
        return
    split = make_split(f"apart{number}", flags, groups=groups)
    assert not {groups[index] for index in split.half_a} & {groups[index] for index in split.half_b}
    assert split == make_split(f"apart{number}", flags, groups=groups)
    for wanted in (False, True):
        sizes = [size for kind, size in photographs if kind is wanted]
        sums = {0}
        for size in sizes:
            sums |= {size + other for other in sums}
        count = sum(flags[index] is wanted for index in split.half_a)
        assert abs(2 * count - sum(sizes)) == min(abs(2 * other - sum(sizes)) for other in sums)


def test_there_are_many_splits_apart_and_a_group_of_both_kinds_is_refused() -> None:
    groups = [str(index // 2) for index in range(80)]
    flags = [index < 40 for index in range(80)]
    assert len({make_split(f"apart{number}", flags, groups=groups).half_a for number in range(20)}) == 20
    for wrong in ([index % 2 == 0 for index in range(80)], flags):
        with pytest.raises(UsageError, match="choose natural or random0"):
            make_split("apart0", wrong, groups=groups if wrong is not flags else ())


def test_the_natural_split_puts_man_made_classes_into_a() -> None:
    split = make_split("natural", FLAGS)
    assert not any(FLAGS[index] for index in split.half_a)
    assert all(FLAGS[index] for index in split.half_b)


@given(st.floats(0, 1).map(lambda x: round(x, 3)))
def test_overlap_sets_the_common_share_of_kinds(overlap: float) -> None:
    split = make_split(f"overlap-{overlap}", FLAGS, known_parts=True)
    shares = np.array(
        [[np.mean([FLAGS[i] == kind for i in half]) for kind in (0, 1)] for half in (split.half_a, split.half_b)]
    )
    assert len(split.half_a) == len(split.half_b)
    assert shares.min(axis=0).sum() == pytest.approx(overlap, abs=1.001 / 40)


@pytest.mark.parametrize(
    "name",
    [
        "random",
        "random-1",
        "random04",
        "apart",
        "apart01",
        "random10000",
        "overlap-1.5",
        "overlap-",
        "natural ",
        "",
        "overlap--1",
    ],
)
def test_unknown_splits_are_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(UsageError, match="random0 or apart0 .*, natural, overlap-x .*, or whole"):
        make_split(name, FLAGS, known_parts=True)


def test_overlap_needs_known_parts() -> None:
    with pytest.raises(UsageError, match="shapeworld"):
        make_split("overlap-0.5", FLAGS)


def test_natural_needs_both_kinds_and_two_classes_of_each() -> None:
    with pytest.raises(UsageError, match="natural and man-made"):
        make_split("natural", [True] * 4)
    for odd in (True, False):
        with pytest.raises(UsageError, match="split natural gives a half .* no task: choose random0"):
            make_split("natural", [not odd] * 5 + [odd])


@pytest.mark.parametrize("name", ["random0", "random7", "natural", "apart0", "overlap-0.5"])
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_fewer_than_four_classes_are_no_two_tasks(name: str, count: int) -> None:
    with pytest.raises(
        DataError, match=f"at least 4 classes .* half with one class is no task, and there are {count}:"
    ):
        make_split(name, FLAGS[:count], known_parts=True)


@given(st.integers(0, 30))
def test_the_whole_set_needs_two_classes_and_is_one_half_of_all_of_them(count: int) -> None:
    if count < 2:
        with pytest.raises(DataError, match=f"at least 2 classes are needed, .* and there are {count}:"):
            make_split("whole", FLAGS[:count])
        return
    split = make_split("whole", FLAGS[:count])
    assert (split.kind, split.classes("T")) == ("whole", tuple(range(min(count, len(FLAGS)))))


@given(st.integers(0, 40), st.integers(4, 30))
def test_no_half_has_a_single_class(number: int, count: int) -> None:
    split = make_split(f"random{number}", FLAGS[:count])
    assert min(len(split.half_a), len(split.half_b)) >= 2


@pytest.mark.parametrize("halves", [((0, 1), (1, 2)), ((0, 0), (1,)), ((1, 0), (2,)), ((), (0,))])
def test_halves_that_overlap_repeat_or_are_empty_are_refused(halves: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(UsageError, match="split mine: "):
        ClassSplit("mine", *halves)


PARTS = st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4), min_size=2, max_size=12)


@given(PARTS, st.data())
def test_what_halves_share_is_a_share_the_same_from_either_side(parts: list[list[str]], data: st.DataObject) -> None:
    indices = range(len(parts))
    half_a = tuple(sorted(data.draw(st.sets(st.sampled_from(indices), min_size=1, max_size=len(parts) - 1))))
    half_b = tuple(index for index in indices if index not in half_a)
    shared = shared_parts(ClassSplit("drawn", half_a, half_b), parts)
    assert 0 <= shared <= 1 + 1e-12
    assert shared == pytest.approx(shared_parts(ClassSplit("drawn", half_b, half_a), parts))
    in_common = {part for index in half_a for part in parts[index]} & {
        part for index in half_b for part in parts[index]
    }
    assert (shared > 0) == bool(in_common)


def test_halves_of_other_sizes_and_the_same_parts_share_all_of_them_and_unknown_parts_are_refused() -> None:
    split = ClassSplit("uneven", (0,), (1, 2))
    assert shared_parts(split, [["a", "b"], ["a", "b"], ["b", "a"]]) == 1
    assert shared_parts(split, [["a", "b"], ["a", "a"], ["c", "c"]]) == 0.5
    with pytest.raises(UsageError, match="split uneven: classes of a half have no known parts"):
        shared_parts(split, [["a"], [], []])
