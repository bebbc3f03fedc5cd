"""Predicted against actual: what lessons took in a batch, and what networks took, beside what the probe says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from course.doctor.lesson_times import LessonTime
from course.evidence import Step
from transferkit.disk.prepared import read_manifest
from transferkit.disk.store import Receipt, Store
from transferkit.errors import DataError
from transferkit.training.data import Prepared
from transferkit.training.forecast import Probe, forecast, seconds_of
from transferkit.training.machine import device_name
from transferkit.training.study import Study

Rates = Callable[[Study], Probe]  # the probe that fits a study's network


@dataclass(frozen=True)
class Outcome:
    """Networks that were trained here, the seconds predicted for them, and those that it took.

    For single networks these are seconds of one worker; for a lesson, of the clock, looking and drawing included.
    """

    networks: int
    predicted: float
    taken: float


def compare_lesson(time: LessonTime, steps: Sequence[Step], rates: Rates) -> Outcome:
    """What the lesson took, and the prediction for those of its networks that came in while it ran."""
    predicted, networks = 0.0, 0
    for step in steps:
        receipts = [one for run in step.runs if (one := step.study.store.find(run, step.study.setting))]
        trained = [one.run for one in receipts if _during(time, one)]
        predicted += forecast(step.study, trained, rates(step.study)) if trained else 0.0
        networks += len(trained)
    return Outcome(networks, predicted, time.seconds)


def _during(time: LessonTime, receipt: Receipt) -> bool:
    began = datetime.fromisoformat(time.started)
    return began <= datetime.fromisoformat(receipt.times.finished) <= began + timedelta(seconds=time.seconds + 1)


def compare_networks(study: Study, found: Probe) -> Outcome:
    """All networks with this study's net that this device has trained, on whatever data and for however long."""
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
    return Outcome(networks, predicted, taken)


def _study_of(store: Store, receipt: Receipt) -> Study | None:
    folder = store.work / "data" / Path(receipt.setting.data).name
    try:
        return Study(Prepared(folder, read_manifest(folder, verify=False)), receipt.setting, store)
    except DataError:
        return None
