"""How long every lesson, and every preset's grid, takes on this machine, from one probe of about ten seconds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from course.doctor.lesson_times import find_lesson
from course.doctor.lessons import LESSONS, lesson_steps
from course.doctor.record import Outcome, Rates, compare_lesson, compare_networks
from course.evidence import Step
from transferkit.config import get_preset, presets
from transferkit.disk.prepared import ClassInfo, Manifest, read_manifest
from transferkit.disk.store import Store
from transferkit.network import count_multiplications
from transferkit.specs import Net
from transferkit.training.data import Prepared
from transferkit.training.forecast import Probe, forecast, probe
from transferkit.training.study import Study, plan_study
from transferkit.training.sweep import missing
from transferkit.training.workers import default_workers, local_workers
from transferkit.treatments import plan

PROBED = "quick"
_SIZES = {  # classes, training and validation images of data sets as they are made by default, and of ILSVRC 2012
    "photos": (80, 25_600, 6_400),
    "shapeworld": (80, 25_600, 6_400),
    "tiles": (14, 1_944, 474),
    "imagenet": (1000, 1_281_167, 50_000),
}


@dataclass(frozen=True)
class Prospect:
    """What a lesson or a grid takes: networks and seconds from nothing, and what of that is still to do.

    `last` is what the newest batch took for a lesson.
    """

    name: str
    networks: int
    seconds: float
    networks_left: int
    seconds_left: float
    last: Outcome | None = None


@dataclass(frozen=True)
class Outlook:
    """What the probe predicts: per lesson at the preset quick, and per preset for one grid of 72 networks.

    Presets whose network was not probed are scaled by its multiply-adds. `busy` is the share of the processor (0..1)
    that other programs used when it was probed; `outcome` is predicted against actual.
    """

    device: str
    workers: int
    busy: float
    lessons: tuple[Prospect, ...]
    grids: tuple[Prospect, ...]
    outcome: Outcome


def look_ahead(work: Path, device: str = "auto", *, again: bool = False) -> Outlook:
    """Probe this machine, or read what was measured before unless `again`, and predict.

    Data sets that are not prepared yet are taken to be as large as they are made by default. Raises UsageError
    for a device that is not there.
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
        step = Step(study, plan("random0", [0]))
        grids.append(prospect(name, [step], rates))
    outcome = compare_networks(usual["photos"], found)
    return Outlook(setting.device, count, found.busy, tuple(lessons), tuple(grids), outcome)


def prospect(name: str, steps: Sequence[Step], rates: Rates) -> Prospect:
    """What these steps take, and what of them has no receipt yet; no two steps share a network."""
    left = [Step(step.study, missing(step.study, step.runs)) for step in steps]
    networks, networks_left = (sum(len(step.runs) for step in some) for some in (steps, left))
    return Prospect(name, networks, _seconds(steps, rates), networks_left, _seconds(left, rates))


def scaled(found: Probe, probed: Net, study: Study) -> Probe:
    """The probe of one network as that of a study's, by the multiply-adds of both: rough, but at once."""
    if study.setting.net == probed:
        return found
    classes = len(study.prepared.manifest.classes) // 2
    ratio = _multiplications(study.setting.net, classes) / _multiplications(probed, classes)
    trained, evaluated = (tuple(ratio * cost for cost in costs) for costs in (found.trained, found.evaluated))
    return replace(found, trained=trained, evaluated=evaluated, read=ratio * found.read, folded=ratio * found.folded)


def _seconds(steps: Sequence[Step], rates: Rates) -> float:
    return sum(forecast(step.study, step.runs, rates(step.study)) for step in steps if step.runs)


def _multiplications(spec: Net, classes: int) -> int:
    return sum(count_multiplications(spec, classes).values())


def _study(data: str, preset: str, device: str, store: Store) -> Study:
    """The study of a data set as it is prepared, or as it would be."""
    chosen = get_preset(preset)
    folder = store.work / "data" / data
    there = (folder / "manifest.json").is_file()
    manifest = read_manifest(folder, verify=False) if there else None
    if manifest is None or manifest.image_size != chosen.net.image_size:
        manifest = _imagined(data, chosen.net.image_size)
    return plan_study(Prepared(folder, manifest), chosen, device, store)


def _imagined(data: str, size: int) -> Manifest:
    """The manifest of a data set that nobody has prepared yet."""
    count, train, valid = _SIZES[data]
    classes = tuple(ClassInfo(str(number), natural=number % 2 == 0, parts=(str(number),)) for number in range(count))
    return Manifest(data, classes, size, (0, train), (train, train + valid), "not prepared", "not prepared", {})
