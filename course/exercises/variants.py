"""Judge an answer by the truth, and name the wrong thought that would have given what came out."""

from collections.abc import Callable, Mapping
from typing import Any

from course.exercises.compare import difference
from course.exercises.exercise import Case, Finding
from course.exercises.plain import Plain

Answer = Callable[[Case], Plain]


def judge_by(
    what: str, right: Answer, thoughts: Mapping[str, Answer], tolerance: float = 1e-5
) -> Callable[[Case, Any], Finding | None]:
    """A judge for answers that are numbers, words or arrays: `right` makes the truth of a case.

    `what` names the answer in its sentence, as "your interval". `thoughts` makes, by misconception, what that would
    give; the first that gives what came out is named. `tolerance` is that of `difference`.
    """

    def judge(case: Case, value: Any) -> Finding | None:
        found = difference(right(case), value, tolerance)
        if not found:
            return None
        named = (key for key, wrong in thoughts.items() if not difference(wrong(case), value, tolerance))
        return Finding(f"{what}: {found}.", next(named, ""))

    return judge
