"""What a learner expects before the result is shown: kept with its date, laid beside what came out, and scored."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import msgspec

from transferkit.disk import atomic
from transferkit.errors import UsageError

FOLDER = "predictions"  # in the work folder
SAME = 1.0  # in the question's unit: what differs by less is called equal


@dataclass(frozen=True)
class Question:
    """What is asked: the `measure` at each of `places`, from `low` to `high` in steps of `step`, in `unit`.

    `name` is the file that the answer is kept in: letters, digits and hyphens. `naive` is what somebody would say
    who knows nothing: 0 for paired differences, the accuracy of guessing for accuracies; it is also where every
    slider stands at first. The places are `ordered` where a line through them means something, as over n. Raises
    UsageError for a question that nobody can answer.
    """

    name: str
    title: str
    places: tuple[str, ...]
    low: float = -60.0
    high: float = 20.0
    step: float = 1.0
    measure: str = "Paired difference to base"
    unit: str = "points"
    naive: float = 0.0
    ordered: bool = True

    def __post_init__(self) -> None:
        if not self.name.replace("-", "").isalnum():
            raise UsageError(f"'{self.name}' is no name of a question: use letters, digits and hyphens.")
        if not self.places or not self.low <= self.naive <= self.high or self.step <= 0:
            raise UsageError(
                f"question {self.name}: give at least one place, a step above 0, and low <= naive <= high, "
                f"not {self.low} <= {self.naive} <= {self.high}."
            )

    @property
    def difference_unit(self) -> str:
        """What differences are told in: two percentages differ by points."""
        return "points" if self.unit == "%" else self.unit


@dataclass(frozen=True)
class Prediction:
    """An answer: one value per place; `when` (UTC) is empty as long as nobody has set anything.

    Raises UsageError when there are not as many values as places.
    """

    question: Question
    values: tuple[float, ...]
    when: str = ""

    def __post_init__(self) -> None:
        if len(self.values) != len(self.question.places):
            raise UsageError(f"{len(self.values)} values answer {len(self.question.places)} places: give one for each.")

    @property
    def made(self) -> bool:
        """Whether somebody has set it; otherwise it is the naive one, which the score says."""
        return bool(self.when)


@dataclass(frozen=True)
class Score:
    """How near a prediction came, errors in the question's unit.

    `error` and `naive_error` are mean absolute errors, of the prediction and of the naive one, its control. `sides`
    counts the places, of `places`, where it lay on the right side of naive: above, below, or within SAME of it.
    `order` counts the pairs of places, of `pairs` that differ by SAME or more, put in the right order.
    """

    error: float
    naive_error: float
    sides: int
    places: int
    order: int
    pairs: int

    @property
    def better(self) -> bool:
        """Whether it came nearer than knowing nothing."""
        return self.error < self.naive_error


def naive(question: Question) -> Prediction:
    """What somebody would say who knows nothing."""
    return Prediction(question, (question.naive,) * len(question.places))


def score(prediction: Prediction, actual: Sequence[float]) -> Score:
    """Compare with what came out, one value per place in the question's unit. Raises UsageError for another number."""
    asked = prediction.question
    if len(actual) != len(asked.places):
        raise UsageError(f"{len(actual)} results answer {len(asked.places)} places: give one for each.")
    sides = [
        _sign(value - asked.naive) == _sign(came - asked.naive)
        for value, came in zip(prediction.values, actual, strict=True)
    ]
    pairs = [
        (_sign(came_b - came_a), (b > a) - (b < a))
        for (a, came_a), (b, came_b) in combinations(zip(prediction.values, actual, strict=True), 2)
    ]
    told = [said == came for came, said in pairs if came]
    return Score(
        _error(prediction.values, actual), _error(naive(asked).values, actual),
        sum(sides), len(sides), sum(told), len(told),
    )  # fmt: skip


def verdict(prediction: Prediction, actual: Sequence[float]) -> str:
    """The score in words: how far off, on which side, in which order, and whether the naive prediction was beaten."""
    asked, found = prediction.question, score(prediction, actual)
    apart, control = asked.difference_unit, f"saying {asked.naive:g} everywhere is off by {found.naive_error:.1f}"
    if not prediction.made:
        return f"Nothing was predicted: the sliders stand where they stood. As a control, {control} {apart}."
    ending = "your prediction beats it" if found.better else "your prediction does not beat it"
    order = f", and {found.order} of {found.pairs} pairs in the right order" if found.pairs else ""
    return (
        f"Off by {found.error:.1f} {apart} on average; {found.sides} of {found.places} on the right side of "
        f"{asked.naive:g}{order}. As a control, {control}: {ending}."
    )


def keep(prediction: Prediction, work: Path) -> None:
    """Write it into the work folder, in place of an earlier answer. Raises StoreError when it cannot be written."""
    atomic.write_bytes(_path(prediction.question, work), msgspec.json.encode(prediction))


def find(question: Question, work: Path) -> Prediction | None:
    """The answer that is kept; None when there is none, or one to a question of other places, limits or unit."""
    try:
        kept = msgspec.json.decode(_path(question, work).read_bytes(), type=Prediction)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return kept if kept.question == question else None


def forget(question: Question, work: Path) -> None:
    """Delete the answer that is kept, if there is one."""
    _path(question, work).unlink(missing_ok=True)


def _path(question: Question, work: Path) -> Path:
    return work / FOLDER / f"{question.name}.json"


def _sign(difference: float) -> int:
    return 0 if abs(difference) < SAME else 1 if difference > 0 else -1


def _error(values: Sequence[float], actual: Sequence[float]) -> float:
    return sum(abs(value - came) for value, came in zip(values, actual, strict=True)) / len(actual)
