"""How long one network takes at several commits of this repository, to see what a change has changed.

    python -m benchmarks.commits 77f3436 HEAD [--turns 4] [--run baseA] [--out benchmarks/results]

writes commits.csv. Each commit is cloned into its own folder and trains once before the clock starts. The commits take
turns: in each turn, `python -m transferkit sweep` with one worker trains the run anew, alone on the machine.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from rich.console import Console

from transferkit.disk import atomic

ROOT = Path(__file__).parent.parent
DATA = "photos"


def main() -> None:
    """Measure, and write the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("commits", nargs="+", metavar="COMMIT")
    options.add_argument("--turns", type=int, default=4)
    options.add_argument("--run", default="baseA")
    options.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        rows = measure(ROOT, chosen.commits, chosen.run, chosen.turns, Path(scratch))
    atomic.write_bytes(chosen.out / "commits.csv", rows.to_csv(index=False).encode())
    Console().print(rows.to_string(index=False), highlight=False)


def measure(repository: Path, commits: Sequence[str], run: str, turns: int, scratch: Path) -> pd.DataFrame:
    """One row for each turn of each commit. Raises CalledProcessError if a commit is unknown or cannot train."""
    clones = {_short(repository, commit): scratch / str(number) for number, commit in enumerate(commits)}
    for commit, clone in clones.items():
        subprocess.run(["git", "clone", "--quiet", repository, clone], check=True)
        subprocess.run(["git", "checkout", "--quiet", "--detach", commit], cwd=clone, check=True)
        _python(clone, "data_prep", DATA)
        _train(clone, run, "smoke")
    return pd.DataFrame(
        [
            {"commit": commit, "turn": turn, "run": run} | _train(clone, run, "quick")
            for turn in range(1, turns + 1)
            for commit, clone in clones.items()
        ]
    )


def _short(repository: Path, commit: str) -> str:
    asked = ["git", "rev-parse", "--short", "--verify", f"{commit}^{{commit}}"]
    return subprocess.run(asked, cwd=repository, check=True, capture_output=True, text=True).stdout.strip()


def _train(clone: Path, run: str, preset: str) -> dict[str, object]:
    """Train the run anew, from an empty store; return the values of its receipt."""
    runs = clone / "work" / "runs"
    shutil.rmtree(runs, ignore_errors=True)
    grid = ["--data", DATA, "--preset", preset, "--split", "random0", "--runs", run, "--workers", "1"]
    _python(clone, "transferkit", "sweep", *grid)
    (kept,) = runs.glob(f"{DATA}/{run}-*/receipt.json")
    receipt = json.loads(kept.read_text())
    return {
        "seconds": receipt["times"]["seconds"], "top1": receipt["log"][-1]["top1"],
        "device": receipt["device_name"], "precision": receipt["setting"]["precision"],
        "torch": receipt["versions"]["torch"], "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }  # fmt: skip


def _python(clone: Path, module: str, *arguments: str) -> None:
    """Run a module of the clone, not of the installed library."""
    environment = os.environ | {"PYTHONPATH": str(clone), "TRANSFERKIT_WORK": str(clone / "work")}
    command = [sys.executable, "-m", module, *arguments]
    subprocess.run(command, cwd=clone, env=environment, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
