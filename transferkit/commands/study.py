"""From the options of the command line to the study and the runs they name."""

import argparse

from transferkit.config import get_preset
from transferkit.data import open_prepared
from transferkit.experiment import Study, plan_study
from transferkit.store import Store
from transferkit.treatments import Run, plan
from transferkit.work import find_work_folder, prepared_folder


def study_of(options: argparse.Namespace) -> tuple[Study, tuple[Run, ...]]:
    """The study of --data under --preset and --epochs, the runs of --split, --seeds and --runs. Raises UsageError."""
    store = Store(options.work or find_work_folder())
    preset = get_preset(options.preset, options.epochs)
    runs = plan(options.split, options.seeds, options.runs)
    prepared = open_prepared(prepared_folder(store.work, options.data))
    prepared.split(options.split)  # refuses a split that these classes cannot be divided by
    return plan_study(prepared, preset, options.device, store, options.precision), runs
