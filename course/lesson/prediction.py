"""What a learner predicts before the result is shown: kept with its date, locked, compared with the result, scored."""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from pathlib import Path

import msgspec

from transferkit.disk import atomic
from transferkit.errors import UsageError

FOLDER = "predictions"  # in the work folder
SAME = 1.0  # in the question's unit: smaller differences count as none


@dataclass(frozen=True)
class Question:
    """What is asked: the `measure` at each of `places`, from `low` to `high` in steps of `step`, in `unit`.

    `name` (letters, digits and hyphens) names the file that keeps the answer. `naive` is the answer of somebody who
    knows nothing: 0 for paired differences, the accuracy of guessing for accuracies; every slider starts there. The
    places are `ordered` if a line through them means something, as over n. Raises UsageError for a bad name and for a
    question that cannot be answered.
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
            raise UsageError(f"'{self.name}' cannot name a question: use letters, digits and hyphens.")
        if not self.places or not self.low <= self.naive <= self.high or self.step <= 0:
            raise UsageError(
                f"question {self.name}: give at least one place, a step above 0, and low <= naive <= high, "
                f"not {self.low} <= {self.naive} <= {self.high}."
            )

    @property
    def difference_unit(self) -> str:
        """The unit of differences: two percentages differ by points."""
        return "points" if self.unit == "%" else self.unit


@dataclass(frozen=True)
class Prediction:
    """An answer: one value per place, and `when` it was set (UTC), which is empty until somebody sets a value.

    `locked` (UTC) is when it was given for good: only then is the result shown. Raises UsageError unless there is one
    value per place.
    """

    question: Question
    values: tuple[float, ...]
    when: str = ""
    locked: str = ""

    def __post_init__(self) -> None:
        if len(self.values) != len(self.question.places):
            raise UsageError(f"{len(self.values)} values answer {len(self.question.places)} places: give one for each.")

    @property
    def made(self) -> bool:
        """Whether somebody has set it; otherwise it is the naive one, and the verdict says so."""
        return bool(self.when)


@dataclass(frozen=True)
class Revealed:
    """A prediction beside what came out; `late` says it in words if most networks were trained before it was set."""

    prediction: Prediction
    came: tuple[float, ...]
    late: str = ""


@dataclass(frozen=True)
class Score:
    """How near a prediction came; errors are in the question's unit.

    `error` and `naive_error` are the mean absolute errors of the prediction and of its control, the naive one. `sides`
    counts the places, out of `places`, on the right side of naive: above it, below it, or within SAME of it. `order`
    counts the pairs in the right order, out of the `pairs` of places whose results differ by SAME or more.
    """

    error: float
    naive_error: float
    sides: int
    places: int
    order: int
    pairs: int

    @property
    def better(self) -> bool:
        """Whether it came nearer than the naive prediction."""
        return self.error < self.naive_error


def naive(question: Question) -> Prediction:
    """The prediction of somebody who knows nothing."""
    return Prediction(question, (question.naive,) * len(question.places))


def score(prediction: Prediction, actual: Sequence[float]) -> Score:
    """Compare with the results, one per place, in the question's unit. Raises UsageError for another number."""
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
    ordered = [said == came for came, said in pairs if came]
    return Score(
        _error(prediction.values, actual), _error(naive(asked).values, actual),
        sum(sides), len(sides), sum(ordered), len(ordered),
    )  # fmt: skip


def verdict(prediction: Prediction, actual: Sequence[float]) -> str:
    """The score in words: how far off, on which side, in which order, and whether it beats the naive prediction."""
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


def is_whole(came: Sequence[float]) -> bool:
    """Whether there is a result for every place."""
    return all(math.isfinite(value) for value in came)


def lateness(prediction: Prediction, finished: Sequence[str]) -> str:
    """A sentence if most networks had been trained when it was set; `finished` are the times (ISO 8601) when they were.

    Earlier lessons train some networks of later ones, so a few are no reason to doubt a prediction.
    """
    if not prediction.made or not finished:
        return ""
    when = datetime.fromisoformat(prediction.when)
    before = sum(datetime.fromisoformat(time) <= when for time in finished)
    if 2 * before <= len(finished):
        return ""
    if before == len(finished):
        return "This prediction was made after the training."
    return f"This prediction was made after {before} of {len(finished)} networks were trained."


def keep(prediction: Prediction, work: Path) -> None:
    """Write it into the work folder, in place of an earlier one. Raises StoreError if it cannot be written."""
    atomic.write_bytes(_path(prediction.question, work), msgspec.json.encode(prediction))


def find(question: Question, work: Path) -> Prediction | None:
    """The prediction that is kept; None if there is none, or if its question has other places, limits or units."""
    try:
        kept = msgspec.json.decode(_path(question, work).read_bytes(), type=Prediction)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return kept if kept.question == question else None


def forget(question: Question, work: Path) -> None:
    """Delete the prediction that is kept, if there is one."""
    _path(question, work).unlink(missing_ok=True)


def keep_revealed(revealed: Revealed, work: Path) -> None:
    """Write down a prediction with its result, for the page over all lessons. Raises StoreError as `keep`."""
    atomic.write_bytes(_revealed(work) / f"{revealed.prediction.question.name}.json", msgspec.json.encode(revealed))


def all_revealed(work: Path) -> tuple[Revealed, ...]:
    """Every prediction that was kept with its result, by name; what cannot be read is left out."""
    found = []
    for path in sorted(_revealed(work).glob("*.json")):
        with suppress(OSError, msgspec.DecodeError):
            found.append(msgspec.json.decode(path.read_bytes(), type=Revealed))
    return tuple(found)


def _path(question: Question, work: Path) -> Path:
    return work / FOLDER / f"{question.name}.json"


def _revealed(work: Path) -> Path:
    return work / FOLDER / "revealed"


def _sign(difference: float) -> int:
    return 0 if abs(difference) < SAME else 1 if difference > 0 else -1


def _error(values: Sequence[float], actual: Sequence[float]) -> float:
    return sum(abs(value - came) for value, came in zip(values, actual, strict=True)) / len(actual)
