"""The morning page: report.html (one file, no network), report.csv, and junit.xml for tools that read test results."""

import base64
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

from course.batch.records import NOTEBOOK, PAGE, THUMBNAIL, Record
from course.batch.tasks import RUNS, Task, shown
from course.pages import render, safe_csv
from transferkit.disk import atomic

HTML, CSV, JUNIT = "report.html", "report.csv", "junit.xml"
NOT_RUN = "not run"
OUTCOMES = ("failed", "died", "timeout", NOT_RUN, "done")  # the most urgent first
COLUMNS = (
    "notebook", "parameters", "outcome", "minutes", "error", "cell", "attempt", "peak_megabytes", "device", "host",
    "started", "folder", "notes",
)  # fmt: skip


@dataclass(frozen=True)
class TaskRow:
    """One task as the page shows it; links are relative to the page, and empty where there is none."""

    notebook: str
    task: Task
    record: Record | None
    link: str = ""
    page: str = ""
    thumbnail: str = ""

    @property
    def outcome(self) -> str:
        """done, failed, timeout, died or not run."""
        return self.record.outcome if self.record else NOT_RUN

    @property
    def minutes(self) -> float:
        """How many minutes it took."""
        return self.record.usage.seconds / 60 if self.record else 0.0

    @property
    def error(self) -> str:
        """What went wrong, in one sentence; empty if nothing did."""
        return self.record.failure.error if self.record and self.record.failure else ""

    @property
    def notes(self) -> str:
        """What a reader would not expect, in sentences."""
        return " ".join(self.record.notes) if self.record else ""

    @property
    def rank(self) -> int:
        """Its place by outcome."""
        return OUTCOMES.index(self.outcome)


def write_report(tasks: Sequence[Task], records: Mapping[str, Record], out: Path) -> Path:
    """Write the three files into `out`; a task without a record was not run. Return the page's path.

    Raises StoreError when a file cannot be written.
    """
    names = shown_names([Path(task.notebook) for task in tasks])
    rows = [_row(task, records.get(task.name), shown(names[Path(task.notebook)])) for task in tasks]
    rows.sort(key=lambda row: row.rank)
    atomic.write_bytes(out / CSV, _csv(rows))
    atomic.write_bytes(out / JUNIT, _junit(rows))
    atomic.write_bytes(out / HTML, _html(rows))
    return out / HTML


def shown_names(notebooks: Iterable[Path]) -> dict[Path, str]:
    """For each path, its shortest ending that tells it apart from the others."""
    paths = set(notebooks)
    parts = dict.fromkeys(paths, 1)
    while True:
        names = {path: os.sep.join(path.parts[-parts[path] :]) for path in paths}
        twins = {path for path in paths if sum(names[path] == name for name in names.values()) > 1}
        if not twins:
            return names
        parts |= {path: parts[path] + 1 for path in twins}


def _row(task: Task, record: Record | None, notebook: str) -> TaskRow:
    if record is None:
        return TaskRow(notebook, task, None)
    folder = f"{RUNS}/{quote(task.name)}"
    links = [f"{folder}/{name}" if name in record.files else "" for name in (NOTEBOOK, PAGE)]
    try:
        picture = (task.folder / THUMBNAIL).read_bytes() if THUMBNAIL in record.files else b""
    except OSError:
        picture = b""
    thumbnail = f"data:image/webp;base64,{base64.b64encode(picture).decode()}" if picture else ""
    return TaskRow(notebook, task, record, links[0], links[1], thumbnail)


def _csv(rows: Sequence[TaskRow]) -> bytes:
    starts = ([row.notebook, row.task.settings, row.outcome, f"{row.minutes:.2f}", row.error] for row in rows)
    ends = ([*_details(row.record), f"{RUNS}/{row.task.name}", row.notes] for row in rows)
    return safe_csv(COLUMNS, (start + end for start, end in zip(starts, ends, strict=True)))


def _details(record: Record | None) -> list[object]:
    if record is None:
        return [""] * 6
    cell = record.failure.cell if record.failure else None
    origin = record.origin
    return [cell, record.attempt, record.usage.peak_megabytes, origin.device, origin.host, origin.started]


def _junit(rows: Sequence[TaskRow]) -> bytes:
    counts = {
        "tests": len(rows),
        "failures": sum(row.outcome == "failed" for row in rows),
        "errors": sum(row.outcome in ("died", "timeout") for row in rows),
        "skipped": sum(row.outcome == NOT_RUN for row in rows),
    }
    attributes = {"name": "transferkit batch"} | {name: str(count) for name, count in counts.items()}
    suite = ElementTree.Element("testsuite", attributes)
    for row in rows:
        name = row.task.settings or "no parameters"
        case = ElementTree.SubElement(
            suite, "testcase", classname=row.notebook, name=name, time=f"{60 * row.minutes:.2f}"
        )
        if row.outcome == NOT_RUN:
            ElementTree.SubElement(case, "skipped")
        elif row.record and row.record.failure:
            kind = "failure" if row.outcome == "failed" else "error"
            text = ElementTree.SubElement(case, kind, type=row.outcome, message=_printable(row.error))
            text.text = _printable(row.record.failure.traceback)
    return bytes(ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True))


def _printable(text: str) -> str:
    """The text without the control characters that XML forbids."""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")


def _html(rows: Sequence[TaskRow]) -> bytes:
    counts = [(outcome, sum(row.outcome == outcome for row in rows)) for outcome in OUTCOMES]
    return render(
        "course.batch",
        rows=rows,
        counts=[(outcome, count) for outcome, count in counts if count],
        minutes=sum(row.minutes for row in rows),
    )
