"""What a fresh clone takes: clones what is committed into a new folder, installs it, and makes the figures.

    python -m benchmarks.fresh_clone [--out course/results]

keeps one row in fresh-clone.csv, in place of an earlier row for the same processor and precision.
"""

import argparse
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from rich.console import Console

from transferkit.disk import atomic
from transferkit.training.machine import choose_precision, device_name, versions
from transferkit.training.workers import default_workers

ROOT = Path(__file__).parent.parent
SAME_MACHINE = ["device", "precision"]
KEPT = "fresh-clone.csv"


def main() -> None:
    """Measure, and keep the row."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=Path, default=ROOT / "course" / "results")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        taken = measure(ROOT, Path(scratch) / "clone")
    machine = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}", "device": device_name("cpu"),
        "precision": choose_precision("auto", "cpu"), "cores": default_workers("cpu"),
        "python": versions()["python"], "torch": versions()["torch"],
    }  # fmt: skip
    table = chosen.out / KEPT
    kept = pd.read_csv(table) if table.exists() else pd.DataFrame()
    rows = replace_row(kept, machine | taken)
    atomic.write_bytes(table, rows.to_csv(index=False).encode())
    Console().print(rows.to_string(index=False), highlight=False)


def measure(repository: Path, clone: Path) -> dict[str, int]:
    """Seconds and bytes of installing and of `make figures`. Raises CalledProcessError if one of them fails."""
    subprocess.run(["git", "clone", "--quiet", repository, clone], check=True)
    installing = _make(".venv/installed", clone)
    figures = _make("figures", clone)
    grids = clone.glob("work/figures/*/grid.csv")
    return {
        "install_seconds": installing, "venv_bytes": _bytes(clone / ".venv"),
        "figures_seconds": figures, "work_bytes": _bytes(clone / "work"),
        "networks": sum(len(pd.read_csv(grid)) for grid in grids),
    }  # fmt: skip


def replace_row(rows: pd.DataFrame, new: dict[str, object]) -> pd.DataFrame:
    """The rows, without any for the same machine, and the new row at their end."""
    added = pd.DataFrame([new])
    if rows.empty:
        return added
    same = (rows[SAME_MACHINE] == added[SAME_MACHINE].iloc[0]).all(axis=1)
    return pd.concat([rows[~same], added], ignore_index=True)


def _make(target: str, clone: Path) -> int:
    began = time.perf_counter()
    subprocess.run(["make", target], cwd=clone, check=True)
    return round(time.perf_counter() - began)


def _bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
