"""How long every lesson and every preset's grid takes on this machine, predicted and compared with what was taken.

One probe of some six seconds is enough to predict all of them.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from course.doctor.lesson_times import LessonTime, find_lesson
from course.doctor.lessons import LESSONS, lesson_steps
from course.evidence.sweeps import SeriesStep
from transferkit.config import get_preset, presets
from transferkit.disk.prepared import ClassInfo, Manifest, read_manifest
from transferkit.disk.store import Receipt, Store
from transferkit.errors import DataError
from transferkit.network import count_multiplications
from transferkit.report import bases_learned
from transferkit.results import Learned
from transferkit.specs import Net
from transferkit.training.data import Prepared
from transferkit.training.forecast import Probe, forecast, probe, seconds_of
from transferkit.training.machine import device_name
from transferkit.training.study import Study, plan_study
from transferkit.training.sweep import missing
from transferkit.training.workers import default_workers, local_workers
from transferkit.treatments import plan

Rates = Callable[[Study], Probe]  # the probe that fits a study's network

PROBED = "quick"
_SIZES = {  # default sizes of data sets, and that of ILSVRC 2012: classes, training images, validation images
    "photos": (80, 12_800, 6_400),
    "shapeworld": (80, 12_800, 6_400),
    "tiles": (14, 1_944, 474),
    "imagenet": (1000, 1_281_167, 50_000),
}


@dataclass(frozen=True)
class Tally:
    """How many networks were trained here, the seconds predicted for them, and the seconds they took.

    For single networks the seconds are those of one worker. For a lesson they are those of the clock, and those it
    took include looking and drawing.
    """

    networks: int
    predicted: float
    taken: float


@dataclass(frozen=True)
class Prospect:
    """The networks and seconds that a lesson or a grid takes from nothing, and how much of that is still to do.

    `last` compares the newest batch's run of a lesson with the prediction.
    """

    name: str
    networks: int
    seconds: float
    networks_left: int
    seconds_left: float
    last: Tally | None = None


@dataclass(frozen=True)
class Outlook:
    """What the probe predicts for each lesson at the preset quick, and for one grid of 72 networks at each preset.

    The times of networks that were not probed are scaled by their multiply-adds. `busy` is the share of the
    processor (0..1) that other programs used during the probe; `tally` compares prediction and actual times; `learned`
    says whether the bases of photos at the preset quick have learned.
    """

    device: str
    workers: int
    busy: float
    lessons: tuple[Prospect, ...]
    grids: tuple[Prospect, ...]
    tally: Tally
    learned: Learned


def look_ahead(work: Path, device: str = "auto", *, again: bool = False) -> Outlook:
    """Probe this machine, or read an earlier probe unless `again`, and predict.

    Data sets that are not prepared yet count with their default sizes. Raises UsageError for a device that is not
    there.
    """
    store = Store(work)
    usual = {name: _study(name, PROBED, device, store) for name in ("photos", "shapeworld", "tiles")}
    setting = usual["photos"].setting
    count = default_workers(setting.device)
    found = probe(usual["photos"], count, local_workers(count), again=again)
    rates = partial(scaled, found, setting.net)
    lessons = []
    for one in LESSONS:
        steps, time = lesson_steps(one, usual), find_lesson(work, one.name, PROBED)
        last = compare_lesson(time, steps, rates) if time else None
        lessons.append(replace(prospect(one.name, steps, rates), last=last))
    grids = []
    for name in presets():
        study = _study("imagenet" if name.startswith("paper") else "photos", name, device, store)
        step = SeriesStep(study, plan("random0", [0]))
        grids.append(prospect(name, [step], rates))
    tally = compare_networks(usual["photos"], found)
    return Outlook(
        setting.device, count, found.busy, tuple(lessons), tuple(grids), tally, bases_learned(usual["photos"])
    )


def prospect(name: str, steps: Sequence[SeriesStep], rates: Rates) -> Prospect:
    """What these steps take, and how much of it has no receipt yet; no two steps may share a network."""
    left = [SeriesStep(step.study, missing(step.study, step.runs)) for step in steps]
    networks, networks_left = (sum(len(step.runs) for step in some) for some in (steps, left))
    return Prospect(name, networks, _seconds(steps, rates), networks_left, _seconds(left, rates))


def scaled(found: Probe, probed: Net, study: Study) -> Probe:
    """A probe of the network `probed`, scaled to the study's network by their multiply-adds: rough, but immediate."""
    if study.setting.net == probed:
        return found
    classes = len(study.prepared.manifest.classes) // 2
    ratio = _multiplications(study.setting.net, classes) / _multiplications(probed, classes)
    trained, evaluated = (tuple(ratio * cost for cost in costs) for costs in (found.trained, found.evaluated))
    return replace(found, trained=trained, evaluated=evaluated, read=ratio * found.read, folded=ratio * found.folded)


def compare_lesson(time: LessonTime, steps: Sequence[SeriesStep], rates: Rates) -> Tally:
    """How long the lesson took, and the prediction for the networks that were trained while it ran."""
    predicted, networks = 0.0, 0
    for step in steps:
        receipts = [one for run in step.runs if (one := step.study.store.find(run, step.study.setting))]
        trained = [one.run for one in receipts if _during(time, one)]
        predicted += forecast(step.study, trained, rates(step.study)) if trained else 0.0
        networks += len(trained)
    return Tally(networks, predicted, time.seconds)


def compare_networks(study: Study, found: Probe) -> Tally:
    """All networks like this study's that this device has trained, on any data and with any number of epochs."""
    here = device_name(study.setting.device)
    predicted = taken = 0.0
    networks = 0
    for receipt in study.store.receipts():
        own, usual = receipt.setting, study.setting
        alike = (own.net, own.device, own.precision, own.threads) == (usual.net, usual.device, usual.precision, 1)
        owner = _study_of(study.store, receipt)
        if alike and own.recipe.batch_size == usual.recipe.batch_size and owner and receipt.device_name == here:
            predicted += seconds_of(owner, receipt.run, found, len(receipt.times.shared_with) + 1)
            taken += receipt.times.seconds
            networks += 1
    return Tally(networks, predicted, taken)


def _during(time: LessonTime, receipt: Receipt) -> bool:
    began = datetime.fromisoformat(time.started)
    return began <= datetime.fromisoformat(receipt.times.finished) <= began + timedelta(seconds=time.seconds + 1)


def _study_of(store: Store, receipt: Receipt) -> Study | None:
    folder = store.work / "data" / Path(receipt.setting.data).name
    try:
        return Study(Prepared(folder, read_manifest(folder, verify=False)), receipt.setting, store)
    except DataError:
        return None


def _seconds(steps: Sequence[SeriesStep], rates: Rates) -> float:
    return sum(forecast(step.study, step.runs, rates(step.study)) for step in steps if step.runs)


def _multiplications(spec: Net, classes: int) -> int:
    return sum(count_multiplications(spec, classes).values())


def _study(data: str, preset: str, device: str, store: Store) -> Study:
    """The study of a data set, prepared or not; one that is damaged counts as not prepared."""
    chosen = get_preset(preset)
    folder = store.work / "data" / data
    manifest = None
    with suppress(DataError):
        manifest = read_manifest(folder, verify=False)
    if manifest is None or manifest.image_size != chosen.net.image_size:
        manifest = _imagined(data, chosen.net.image_size)
    return plan_study(Prepared(folder, manifest), chosen, device, store)


def _imagined(data: str, size: int) -> Manifest:
    """The manifest that a data set would have by default."""
    count, train, valid = _SIZES[data]
    classes = tuple(ClassInfo(str(number), natural=number % 2 == 0, parts=(str(number),)) for number in range(count))
    return Manifest(data, classes, size, (0, train), (train, train + valid), "not prepared", "not prepared", {})
