"""Which networks each lesson trains with its parameters as they stand: what its minutes are predicted from.

A test runs the lessons and compares with what they left in the store, so that this list cannot go stale.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from transferkit.evidence import Part, Step, StudyPlan, choose_studies, steps_under, studies
from transferkit.experiment import Study
from transferkit.treatments import grid


@dataclass(frozen=True)
class LessonPlan:
    """A lesson, by the name of its notebook, and the parts that it trains, by data set."""

    name: str
    parts: Mapping[str, tuple[Part, ...]]


def _frozen() -> tuple[str, ...]:
    return tuple(run.label for run in grid("any", 0) if run.treatment in ("BnB", "AnB", "RnB"))


def _evidence(names: tuple[str, ...]) -> tuple[Part, ...]:
    return tuple(part for plan in choose_studies(studies(), names) for part in plan.parts)


LESSONS: tuple[LessonPlan, ...] = (
    LessonPlan("00_start_here", {"photos": (Part("random0", labels=("baseA",)),)}),
    LessonPlan(
        "01_first_layer",
        {"photos": (Part("random0", labels=("baseA", "baseB")),), "shapeworld": (Part("random0", labels=("baseA",)),)},
    ),
    LessonPlan("03_base_network", {"photos": (Part("random0", labels=("baseA",)),)}),
    LessonPlan("05_figure2", {"photos": (Part("random0"),)}),
    LessonPlan("06_figure3", {"photos": (Part("random0", labels=_frozen()), Part("natural", labels=_frozen()))}),
    LessonPlan("08_evidence", {"photos": _evidence(("similar", "dissimilar"))}),
)


def lesson_steps(plan: LessonPlan, usual: Mapping[str, Study]) -> tuple[Step, ...]:
    """The sweeps of a lesson, under the usual studies of its data sets by name."""
    chosen = {data: StudyPlan(plan.name, data, "", parts) for data, parts in plan.parts.items()}
    return tuple(step for data, study in chosen.items() for step in steps_under(study, usual[data]))
