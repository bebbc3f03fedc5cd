"""Search for the start, weight decay and length of training that give clean filters in conv1, with their accuracy.

    python -m benchmarks.first_layer_search course/results/first-layer-search.csv

trains both base networks of photos (random0, seed 0) once per setting, on all cores, and writes one row per setting:
mean top-1, and the mean R2 of the Gabors fitted to the filters.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import pandas as pd
from rich.console import Console

from course.looking.kinds import fit_table
from data_prep import ensure
from transferkit.config import Preset, get_preset
from transferkit.console import show_progress
from transferkit.disk import atomic
from transferkit.disk.prepared import find_work_folder
from transferkit.disk.store import Store
from transferkit.specs import small_net
from transferkit.training.data import open_prepared
from transferkit.training.study import Study, plan_study
from transferkit.training.sweep import sweep
from transferkit.training.workers import default_workers, local_workers
from transferkit.treatments import plan

CHOSEN = (0.003, 2e-3, 6)  # standard deviation of conv1's start, weight decay, epochs, as in the preset quick
SEARCHED = (
    *((std, decay, 6) for std in (None, 0.01, 0.003, 0.001) for decay in (5e-4, 2e-3)),
    (0.003, 2e-3, 3),
    (0.003, 2e-3, 12),
)
RUNS = plan("random0", [0], ["baseA", "baseB"])


def variant(std: float | None, decay: float, epochs: int) -> Preset:
    """The preset quick with another start of conv1, weight decay and length of training."""
    quick = get_preset("quick")
    net = small_net()
    convs = (replace(net.convs[0], init_std=std), *net.convs[1:])
    recipe = replace(quick.recipe, weight_decay=decay, epochs=epochs)
    return replace(quick, net=replace(net, convs=convs), recipe=recipe)


def measure(study: Study) -> dict[str, float]:
    """Means over both bases, which must have been trained."""
    receipts = [receipt for run in RUNS if (receipt := study.store.find(run, study.setting))]
    tables = [fit_table(study.store.weights(run, study.setting)["conv1.weight"]) for run in RUNS]
    return {
        "top1": sum(receipt.final.top1 for receipt in receipts) / len(receipts),
        "r2": sum(float(table["r2"].mean()) for table in tables) / len(tables),
        "networks": len(receipts),
    }


def main() -> None:
    """Train, measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path)
    out = parser.parse_args().csv
    store, console = Store(find_work_folder()), Console()
    prepared = open_prepared(ensure("photos", store.work))
    rows = []
    for std, decay, epochs in SEARCHED:
        study = plan_study(prepared, variant(std, decay, epochs), "auto", store)
        show_progress(sweep(study, RUNS, local_workers(default_workers(study.setting.device))), console)
        start = "He" if std is None else f"{std:g}"
        chosen = (std, decay, epochs) == CHOSEN
        rows.append({"start": start, "weight_decay": decay, "epochs": epochs, **measure(study), "chosen": chosen})
    table = pd.DataFrame(rows).round(4)
    atomic.write_bytes(out, table.to_csv(index=False).encode())
    console.print(table.to_string(index=False), markup=False, highlight=False)


if __name__ == "__main__":
    main()
