"""Make the kept table of measures again: `python -m course.measures --work FOLDER --out FOLDER`.

It reads the bases that `transferkit evidence` trained in the work folder, and takes about 20 minutes on one core.
"""

import argparse
from pathlib import Path

from rich.console import Console

from course.evidence.claims import read_evidence
from course.evidence.plan import all_series
from course.evidence.sweeps import Site, steps_of
from course.measures.agreement import agreement
from course.measures.expect import learned_cells
from course.measures.kept import SERIES, measured, read_cells, write_measures
from course.measures.verdicts import write_verdicts
from transferkit.config import get_preset
from transferkit.disk.prepared import find_work_folder
from transferkit.disk.store import Store


def main() -> None:
    """Measure all pairs of bases of the series, with a line for each."""
    parser = argparse.ArgumentParser(prog="python -m course.measures", description=__doc__)
    parser.add_argument("--work", type=Path, help="the work folder (default: TRANSFERKIT_WORK, else ./work)")
    parser.add_argument("--out", type=Path, help="folder to write measures.csv (default: evidence in the work folder)")
    options = parser.parse_args()
    work, console = options.work or find_work_folder(), Console()
    site = Site(get_preset("quick"), "auto", Store(work))
    planned = {series.name: steps_of(series, site) for series in all_series() if series.name in SERIES}
    tables = []
    for table in measured(planned):
        tables.append(table)
        first = table.iloc[0]
        console.print(f"{first['data']} {first['split']}, seed {first['seed']}, {first['epochs']} epochs", style="dim")
    folder = options.out or work / "evidence"
    written = write_measures(tables, folder)
    cells = read_cells(folder, read_evidence(folder))
    picture = agreement(learned_cells(cells)).save(folder / "measures.png")
    for path in (written, write_verdicts(cells, folder), picture):
        console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
