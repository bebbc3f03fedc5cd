"""Where the class is stuck: in which exercise, what happens there, what they likely think, and how many they are."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from course.grading.grade import Grade, State

NOT_STUCK: tuple[State, ...] = ("passed", "not graded")


@dataclass(frozen=True)
class Stuck:
    """What `students` of `of` students have in common in an exercise that they have not passed.

    `kind` is the misconception's key, or else the error's name, or else empty; `thought` is that misconception in a
    sentence; `case` and `example` are the most common case, and the most common sentence about it.
    """

    exercise: str
    state: State
    kind: str
    thought: str
    case: str
    example: str
    students: int
    of: int


def where_stuck(grades: Sequence[Grade]) -> tuple[Stuck, ...]:
    """The groups of students who have not passed, the largest first."""
    groups: dict[tuple[str, State, str], list[Grade]] = defaultdict(list)
    for grade in grades:
        if grade.state not in NOT_STUCK:
            groups[grade.exercise, grade.state, _kind(grade)].append(grade)
    totals = Counter(grade.exercise for grade in grades)
    found = (_stuck(members, kind, totals[exercise]) for (exercise, _, kind), members in groups.items())
    return tuple(sorted(found, key=lambda group: -group.students))


def _stuck(members: Sequence[Grade], kind: str, of: int) -> Stuck:
    first = members[0]
    case = _most_common(grade.case for grade in members)
    example = _most_common(grade.seen for grade in members if grade.case == case)
    return Stuck(first.exercise, first.state, kind, first.thought, case, example, len(members), of)


def _kind(grade: Grade) -> str:
    if grade.misconception or grade.state != "error":
        return grade.misconception
    name = grade.seen.partition(":")[0]
    return name if name.isidentifier() else ""


def _most_common(texts: Iterable[str]) -> str:
    return Counter(texts).most_common(1)[0][0]
