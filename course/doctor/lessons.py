"""Which networks each lesson trains with its parameters as they stand: what its minutes are predicted from.

Tests of the lessons compare with what these left in the store, so that the list cannot go stale.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from course.evidence import Part, Step, StudyPlan, freezing_study, labels, steps_under
from transferkit.network.torchvision_nets import find_net
from transferkit.training.study import Study
from transferkit.treatments import grid

RESIDUAL, IMAGE_SIZE = "resnet-small", 48  # the other network of lesson 09, and the pixels of photos


@dataclass(frozen=True)
class LessonPlan:
    """A lesson, by the name of its notebook, and the parts that it trains, by data set.

    `net` is another network, on which it trains `on_net` on photos.
    """

    name: str
    parts: Mapping[str, tuple[Part, ...]]
    net: str = ""
    on_net: tuple[Part, ...] = ()


def _frozen() -> tuple[str, ...]:
    return tuple(run.label for run in grid("any", 0) if run.treatment in ("BnB", "AnB", "RnB"))


def _uneven() -> tuple[str, ...]:
    return tuple(run.label for run in grid("any", 0) if run.n % 2 and run.treatment != "BnB")


def _dial() -> tuple[Part, ...]:
    wanted = labels(("AnB",)) + labels(("BnB",), (5, 7))
    return tuple(Part(f"overlap-{overlap}", labels=wanted) for overlap in ("0", "0.5", "1"))


def _residual() -> tuple[Part, ...]:
    layers = find_net(RESIDUAL, IMAGE_SIZE).layers
    stages = tuple(f"{source}{n}B" for n in range(1, len(layers)) for source in "AB")
    tuned = Part("random0", labels=("A3B+", "B3B+"), layers=layers)
    return (Part("random0", labels=stages, layers=layers), tuned, replace(tuned, labels=("baseB",), epochs_times=2))


LESSONS: tuple[LessonPlan, ...] = (
    LessonPlan("00_start_here", {"photos": (Part("random0", labels=("baseA",)),)}),
    LessonPlan(
        "01_first_layer",
        {"photos": (Part("random0", labels=("baseA", "baseB")),), "shapeworld": (Part("random0", labels=("baseA",)),)},
    ),
    LessonPlan("02_two_halves", {"shapeworld": _dial()}),
    LessonPlan("03_base_network", {"photos": (Part("random0", labels=("baseA",)),)}),
    LessonPlan("04_chop_and_transfer", {"photos": (Part("random0", labels=("B4B", "B4B+", "A4B", "A4B+", "R4B")),)}),
    LessonPlan("05_figure2", {"photos": (Part("random0"),)}),
    LessonPlan("06_figure3", {"photos": (Part("random0", labels=_frozen()), Part("natural", labels=_frozen()))}),
    LessonPlan("07_freeze_or_finetune", {"photos": freezing_study("photos", "random0", 0, 5).parts}),
    LessonPlan("08_evidence", {"photos": (Part("random4", labels=labels(("AnB",), (1, 3, 5, 7))),)}),
    LessonPlan(
        "09_beyond_2014",
        {"photos": (Part("random0", labels=tuple(f"{source}{n}B" for n in (1, 3, 5, 7) for source in "AB")),)},
        RESIDUAL,
        _residual(),
    ),
    LessonPlan("10_your_data", {"tiles": (Part("random0", (0, 1, 2), _uneven(), epochs_times=4, learning_rate=0.01),)}),
)


def lesson_steps(plan: LessonPlan, usual: Mapping[str, Study]) -> tuple[Step, ...]:
    """The sweeps of a lesson, under the usual studies of its data sets by name."""
    chosen = [(StudyPlan(plan.name, data, "", parts), usual[data]) for data, parts in plan.parts.items()]
    if plan.net:
        photos = usual["photos"]
        other = replace(photos.setting, net=find_net(plan.net, photos.setting.net.image_size))
        chosen.append((StudyPlan(plan.name, "photos", "", plan.on_net), replace(photos, setting=other)))
    return tuple(step for study, setting in chosen for step in steps_under(study, setting))
