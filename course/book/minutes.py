"""What the lessons take when a machine runs them: `python -m course.book.minutes OUT...`, the folders of batches that did.

Writes course/results/lesson-minutes.csv, one row per preset and lesson. Where a lesson ran with several sets of
parameters, at once perhaps, the slowest counts.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pandas as pd

from course.batch.receipts import RECEIPT, Receipt
from transferkit.disk import atomic

TABLE = Path(__file__).parent / "results" / "lesson-minutes.csv"


def collect(folders: Sequence[Path]) -> pd.DataFrame:
    """The table of these batches. Raises ValueError when one of their notebooks is not done."""
    paths = sorted(path for folder in folders for path in folder.glob(f"runs/*/{RECEIPT}"))
    receipts = [msgspec.json.decode(path.read_bytes(), type=Receipt) for path in paths]
    if wrong := [receipt.notebook for receipt in receipts if receipt.outcome != "done"]:
        raise ValueError(f"{wrong[0]} is not done: run the same batch again.")
    rows = pd.DataFrame([_row(receipt) for receipt in receipts])
    return rows.groupby(["preset", "lesson"], as_index=False).agg(
        runs=("seconds", "size"), seconds=("seconds", "max"), peak_megabytes=("peak_megabytes", "max"),
        device=("device", "first"), torch=("torch", "first"), date=("date", "max"),
    )  # fmt: skip


def rows(table: pd.DataFrame) -> str:
    """As the page for assistants shows it: a lesson per line, minutes at both presets, memory at its peak."""
    lines = ["| lesson | `smoke`, two sets at once | `quick`, alone | memory at the peak |", "|---|---|---|---|"]
    for lesson, taken in table.groupby("lesson"):
        lines.append(f"| {str(lesson).replace('_', ' ')} | {_minutes(taken)} | {_gigabytes(taken)} GB |")
    return "\n".join([*lines, f"| all, one after the other | {_minutes(table)} | {_gigabytes(table)} GB |"])


def _row(receipt: Receipt) -> dict[str, object]:
    return {
        "preset": receipt.parameters["preset"], "lesson": Path(receipt.notebook).stem,
        "seconds": round(receipt.usage.seconds), "peak_megabytes": round(receipt.usage.peak_megabytes),
        "device": receipt.origin.device, "torch": receipt.origin.versions["torch"],
        "date": receipt.origin.started[:10],
    }  # fmt: skip


def _minutes(taken: pd.DataFrame) -> str:
    totals = [int(taken.loc[taken["preset"] == preset, "seconds"].sum()) for preset in ("smoke", "quick")]
    return " | ".join(f"{total // 60}:{total % 60:02}" for total in totals)


def _gigabytes(taken: pd.DataFrame) -> str:
    return f"{taken['peak_megabytes'].max() / 1000:.1f}"


if __name__ == "__main__":
    found = collect([Path(folder) for folder in sys.argv[1:]])
    atomic.write_bytes(TABLE, found.to_csv(index=False).encode())
