"""How clean the filters of conv1 are, under the preset of the grid and under that for filters, beside a control.

    python -m benchmarks.clean_filters course/results/clean-filters.csv

trains both bases of two splits under each preset, on all cores, and writes one row per base; beside the table, with the
ending .png, the filters of the first base under either preset.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

from course.evidence.first_layers import PAPERS_KINDS
from course.looking.control import scrambled_filters
from course.looking.kinds import GABOR, fit_table
from data_prep import ensure
from transferkit import figures
from transferkit.config import get_preset
from transferkit.console import show_progress
from transferkit.disk import atomic
from transferkit.disk.prepared import find_work_folder
from transferkit.disk.store import Receipt, Store
from transferkit.gabor import Gabor
from transferkit.report import conv1_tiles
from transferkit.training.data import open_prepared
from transferkit.training.study import Study, plan_study
from transferkit.training.sweep import sweep
from transferkit.training.workers import default_workers, local_workers
from transferkit.treatments import plan

COMPARED = (("photos", "quick"), ("views", "filters"))  # data and preset
SPLITS = ("random0", "random1")


def cleanness(table: pd.DataFrame) -> dict[str, float]:
    """What the fits of a layer say of it, from its table of `fit_table`.

    r2: the median. kinds: the share of Gabors, edges and colour blobs. full: the share of filters that are Gabors with
    at least one wavelength in sight. inside: the share of Gabors and edges whose wavelength is within the fit's bounds.
    """
    waves = table[table["kind"].isin(["gabor", "edge"])]
    gabors = table.loc[table["kind"] == "gabor", [f"nearest_{name}" for name in GABOR]].to_numpy().tolist()
    side = int(table["side"].iloc[0])
    return {
        "r2": float(table["r2"].median()),
        "kinds": float(table["kind"].isin(PAPERS_KINDS).mean()),
        "full": sum(Gabor(*numbers).cycles(side) >= 1 for numbers in gabors) / len(table),
        "inside": 1 - float(waves["at_bound"].str.contains("wavelength").mean()) if len(waves) else np.nan,
    }


def row_of(study: Study, receipt: Receipt) -> dict[str, object]:
    """One base: where it comes from, what it costs and can, and how clean its filters are, beside scrambled ones."""
    run = receipt.run
    filters = study.store.weights(run, study.setting)[study.setting.net.first_filters]
    own, control = (cleanness(fit_table(layer)) for layer in (filters, scrambled_filters(filters, run.seed)))
    return {
        "data": study.setting.data, "preset": study.setting.net.name, "split": run.split, "target": run.target,
        "top1": receipt.final.top1, "seconds": receipt.times.seconds, "filters": len(filters), **own,
        **{f"{name}_scrambled": value for name, value in control.items()},
    }  # fmt: skip


def main() -> None:
    """Train, measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path)
    out = parser.parse_args().csv
    store, console = Store(find_work_folder()), Console()
    rows, sheets = [], {}
    for data, preset in COMPARED:
        study = plan_study(open_prepared(ensure(data, store.work)), get_preset(preset), "auto", store)
        runs = [run for split in SPLITS for run in plan(split, [0], ["baseA", "baseB"])]
        show_progress(sweep(study, runs, local_workers(default_workers(study.setting.device))), console)
        done = [receipt for run in runs if (receipt := store.find(run, study.setting))]
        rows += [row_of(study, receipt) | {"preset": preset} for receipt in done]
        sheets[f"{data}, preset {preset}"] = conv1_tiles(study, done[0].run)
    (one, tiles), (other, others) = sheets.items()
    figures.conv1(tiles, others, (one, other)).save(out.with_suffix(".png"))
    table = pd.DataFrame(rows).round(4)
    atomic.write_bytes(out, table.to_csv(index=False).encode())
    console.print(table.to_string(index=False), markup=False, highlight=False)


if __name__ == "__main__":
    main()
