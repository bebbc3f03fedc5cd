"""Does the bfloat16 grid agree with the float32 one? Compares both, of the same split and seed, network by network.

    python -m benchmarks.precision [--split random0] [--seed 0] [--out benchmarks/results]

trains the networks of both grids that the work folder lacks, and of a bfloat16 grid of the next seed, whose differences
from the first are the noise to compare with. For both comparisons, precision.csv gives the mean and the standard
deviation over networks, per treatment and in points, of the differences in top-1 and in the paired difference.
"""

import argparse
from pathlib import Path

import pandas as pd
from rich.console import Console

from data_prep import ensure
from transferkit.config import get_preset
from transferkit.console import show_progress
from transferkit.disk import atomic
from transferkit.disk.prepared import find_work_folder
from transferkit.disk.store import Store
from transferkit.report import finished
from transferkit.results import tabulate
from transferkit.training.data import open_prepared
from transferkit.training.study import plan_study
from transferkit.training.sweep import sweep
from transferkit.training.workers import default_workers, local_workers
from transferkit.treatments import TREATMENTS, grid

COMPARED = {"float32": ("float32", 0), "another seed": ("bfloat16", 1)}  # precision, and seeds after --seed


def main() -> None:
    """Train, compare and write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--split", default="random0")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    chosen = options.parse_args()
    usual = trained("bfloat16", chosen.split, chosen.seed)
    rows = []
    for name, (precision, later) in COMPARED.items():
        other = trained(precision, chosen.split, chosen.seed + later)
        both = usual.merge(other, on=["run", "treatment", "n"], suffixes=("", "_other"))
        for treatment in TREATMENTS:
            cell = both[both["treatment"] == treatment]
            differences = {what: 100 * (cell[what] - cell[f"{what}_other"]) for what in ("top1", "paired")}
            values = [value for difference in differences.values() for value in (difference.mean(), difference.std())]
            rows.append((name, treatment, len(cell), *values))
    columns = ["compared_with", "treatment", "networks", "top1", "top1_sd", "paired", "paired_sd"]
    table = pd.DataFrame(rows, columns=columns).round(3)
    atomic.write_bytes(chosen.out / "precision.csv", table.to_csv(index=False).encode())
    Console().print(table.to_string(index=False))


def trained(precision: str, split: str, seed: int) -> pd.DataFrame:
    """The finished grid in this precision, one row per network; trains what is missing."""
    work = find_work_folder()
    prepared = open_prepared(ensure("photos", work))
    study = plan_study(prepared, get_preset("quick"), "cpu", Store(work), precision)
    runs = grid(split, seed)
    show_progress(sweep(study, runs, local_workers(default_workers("cpu"))), Console())
    return tabulate(finished(study, runs))


if __name__ == "__main__":
    main()
