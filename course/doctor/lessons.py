"""Which networks each lesson trains with its default parameters; its minutes are predicted from them.

Tests run the lessons and compare this list with the networks in the store, so that it cannot go stale.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from course.evidence.plan import Bundle, Series, freezing_series, labels
from course.evidence.sweeps import SeriesStep, steps_under
from transferkit.network.torchvision_nets import find_net
from transferkit.training.study import Study
from transferkit.treatments import grid

RESIDUAL, IMAGE_SIZE = "resnet-small", 48  # the other network of lesson 09, and the pixels of photos


@dataclass(frozen=True)
class LessonPlan:
    """A lesson, named like its notebook, and what it trains on each data set.

    If it uses another network, `net` names it and `on_net` is what it trains with it on photos.
    """

    name: str
    parts: Mapping[str, tuple[Bundle, ...]]
    net: str = ""
    on_net: tuple[Bundle, ...] = ()


def _frozen() -> tuple[str, ...]:
    return tuple(run.label for run in grid("any", 0) if run.treatment in ("BnB", "AnB", "RnB"))


def _curve() -> tuple[Bundle, ...]:
    """Five folds of `transferkit curve`: seven epochs for 1,900 pictures, and fourteen from scratch."""
    folds, epochs = tuple(range(5)), 7 / 32
    return (
        Bundle("whole", folds, ("P4T+", "P7T+", "baseT"), epochs_times=epochs),
        Bundle("whole", folds, ("baseT",), epochs_times=2 * epochs),
    )


def _dial() -> tuple[Bundle, ...]:
    wanted = labels(("AnB",)) + labels(("BnB",), (5, 7))
    return tuple(Bundle(f"overlap-{overlap}", labels=wanted, epochs_times=2) for overlap in ("0", "0.5", "1"))


def _residual() -> tuple[Bundle, ...]:
    layers = find_net(RESIDUAL, IMAGE_SIZE).layers
    stages = tuple(f"{source}{n}B" for n in range(1, len(layers)) for source in "AB")
    tuned = Bundle("random0", labels=("A3B+", "B3B+"), layers=layers)
    return (Bundle("random0", labels=stages, layers=layers), tuned, replace(tuned, labels=("baseB",), epochs_times=2))


LESSONS: tuple[LessonPlan, ...] = (
    LessonPlan("00_start_here", {"photos": (Bundle("random0", labels=("baseA",)),)}),
    LessonPlan(
        "01_first_layer",
        {
            "photos": (Bundle("random0", labels=("baseA", "baseB")),),
            "shapeworld": (Bundle("random0", labels=("baseA",)),),
        },
    ),
    LessonPlan("02_two_halves", {}),
    LessonPlan("03_base_network", {"photos": (Bundle("random0", labels=("baseA", "baseB")),)}),
    LessonPlan("04_chop_and_transfer", {"photos": (Bundle("random0", labels=("B4B", "B4B+", "A4B", "A4B+", "R4B")),)}),
    LessonPlan("05_figure2", {"photos": (Bundle("random0"),)}),
    LessonPlan(
        "06_figure3",
        {"photos": (Bundle("random0", labels=_frozen()), Bundle("natural", labels=_frozen())), "shapeworld": _dial()},
    ),
    LessonPlan("07_freeze_or_finetune", {"photos": freezing_series("photos", "random0", 0, 5).parts}),
    LessonPlan("08_evidence", {"photos": (Bundle("random4", labels=labels(("AnB",), (1, 3, 5, 7))),)}),
    LessonPlan(
        "09_beyond_2014",
        {"photos": (Bundle("random0", labels=tuple(f"{source}{n}B" for n in (1, 3, 5, 7) for source in "AB")),)},
        RESIDUAL,
        _residual(),
    ),
    LessonPlan("10_your_data", {"shapeworld": (Bundle("random0", labels=("baseA",)),), "tiles": _curve()}),
)


def lesson_steps(plan: LessonPlan, usual: Mapping[str, Study]) -> tuple[SeriesStep, ...]:
    """The sweeps of a lesson; `usual` holds the study of each data set under the usual setting."""
    chosen = [(Series(plan.name, data, "", parts), usual[data]) for data, parts in plan.parts.items()]
    if plan.net:
        photos = usual["photos"]
        other = replace(photos.setting, net=find_net(plan.net, photos.setting.net.image_size))
        chosen.append((Series(plan.name, "photos", "", plan.on_net), replace(photos, setting=other)))
    return tuple(step for series, study in chosen for step in steps_under(series, study))
