"""How long the lessons take when a machine runs them, and the memory that they need.

    python -m course.book.minutes OUT...

reads the folders of finished batches and writes course/results/lesson-minutes.csv, one row per preset and lesson. If a
lesson ran with several sets of parameters, the slowest run counts.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pandas as pd

from course.batch.records import RECORD, Record
from transferkit.disk import atomic

TABLE = Path(__file__).parents[1] / "results" / "lesson-minutes.csv"
WAITS = TABLE.with_name("first-pictures.csv")  # of `python -m benchmarks.first_pictures`


def collect(folders: Sequence[Path]) -> pd.DataFrame:
    """The table of these batches. Raises ValueError if one of their notebooks is not done."""
    paths = sorted(path for folder in folders for path in folder.glob(f"runs/*/{RECORD}"))
    records = [msgspec.json.decode(path.read_bytes(), type=Record) for path in paths]
    if wrong := [record.notebook for record in records if record.outcome != "done"]:
        raise ValueError(f"{wrong[0]} is not done: run the same batch again.")
    rows = pd.DataFrame([_row(record) for record in records])
    return rows.groupby(["preset", "lesson"], as_index=False).agg(
        runs=("seconds", "size"), seconds=("seconds", "max"), peak_megabytes=("peak_megabytes", "max"),
        device=("device", "first"), torch=("torch", "first"), date=("date", "max"),
    )  # fmt: skip


def rows(table: pd.DataFrame) -> str:
    """The table for assistants in Markdown: for each lesson the minutes at both presets and the peak of the memory."""
    lines = [
        "| lesson | `smoke`, two sets at once | `quick`, in this order | memory at the peak |",
        "|---|---|---|---|",
    ]
    for lesson, taken in table.groupby("lesson"):
        lines.append(f"| {str(lesson).replace('_', ' ')} | {_minutes(taken)} | {_gigabytes(taken)} GB |")
    return "\n".join([*lines, f"| all, one after the other | {_minutes(table)} | {_gigabytes(table)} GB |"])


def waits(table: pd.DataFrame) -> str:
    """The table of first pictures in Markdown: for each lesson the seconds in an empty and in a filled work folder."""
    cells = table.pivot_table(index="lesson", columns="work", values=["first_picture", "longest_block"])
    lines = ["| lesson | first picture, empty | longest cell, empty | first picture, filled | longest cell, filled |"]
    lines.append("|---|---|---|---|---|")
    for lesson, row in cells.iterrows():
        asked = [row[what, work] for work in ("empty", "filled") for what in ("first_picture", "longest_block")]
        lines.append(f"| {str(lesson).replace('_', ' ')} | {' | '.join(f'{seconds:.0f} s' for seconds in asked)} |")
    return "\n".join(lines)


def _row(record: Record) -> dict[str, object]:
    return {
        "preset": record.parameters["preset"], "lesson": Path(record.notebook).stem,
        "seconds": round(record.usage.seconds), "peak_megabytes": round(record.usage.peak_megabytes),
        "device": record.origin.device, "torch": record.origin.versions["torch"],
        "date": record.origin.started[:10],
    }  # fmt: skip


def _minutes(taken: pd.DataFrame) -> str:
    totals = [int(taken.loc[taken["preset"] == preset, "seconds"].sum()) for preset in ("smoke", "quick")]
    return " | ".join(f"{total // 60}:{total % 60:02}" for total in totals)


def _gigabytes(taken: pd.DataFrame) -> str:
    return f"{taken['peak_megabytes'].max() / 1000:.1f}"


if __name__ == "__main__":
    found = collect([Path(folder) for folder in sys.argv[1:]])
    atomic.write_bytes(TABLE, found.to_csv(index=False).encode())
