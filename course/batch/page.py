"""The morning page: report.html (one file, no network), report.csv, and junit.xml for whatever reads test results."""

import base64
import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

from course.batch.receipts import NOTEBOOK, PAGE, THUMBNAIL, Receipt
from course.batch.tasks import RUNS, Task
from course.pages import render
from transferkit.disk import atomic

HTML, CSV, JUNIT = "report.html", "report.csv", "junit.xml"
NOT_RUN = "not run"
OUTCOMES = ("failed", "died", "timeout", NOT_RUN, "done")  # what needs a look first comes first
COLUMNS = (
    "notebook", "parameters", "outcome", "minutes", "error", "cell", "attempt", "peak_megabytes", "device", "host",
    "started", "folder",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One notebook with one set of parameters, as the page shows it; links are relative to the page, empty if none."""

    notebook: str
    task: Task
    receipt: Receipt | None
    link: str = ""
    page: str = ""
    thumbnail: str = ""

    @property
    def outcome(self) -> str:
        """done, failed, timeout, died or not run."""
        return self.receipt.outcome if self.receipt else NOT_RUN

    @property
    def minutes(self) -> float:
        """How long it took."""
        return self.receipt.usage.seconds / 60 if self.receipt else 0.0

    @property
    def error(self) -> str:
        """What went wrong, in one sentence; empty when nothing did."""
        return self.receipt.failure.error if self.receipt and self.receipt.failure else ""

    @property
    def rank(self) -> int:
        """Its place by outcome."""
        return OUTCOMES.index(self.outcome)


def write_report(tasks: Sequence[Task], receipts: Mapping[str, Receipt], out: Path) -> Path:
    """Write the three files into `out` for these tasks, those without a receipt as not run; return the page's path.

    Raises StoreError when one cannot be written.
    """
    names = shown_names([Path(task.notebook) for task in tasks])
    rows = [_row(task, receipts.get(task.name), names[Path(task.notebook)]) for task in tasks]
    rows.sort(key=lambda row: row.rank)
    atomic.write_bytes(out / CSV, _csv(rows))
    atomic.write_bytes(out / JUNIT, _junit(rows))
    atomic.write_bytes(out / HTML, _html(rows))
    return out / HTML


def shown_names(notebooks: Iterable[Path]) -> dict[Path, str]:
    """The shortest ends of these paths that tell them apart."""
    paths = set(notebooks)
    parts = dict.fromkeys(paths, 1)
    while True:
        names = {path: os.sep.join(path.parts[-parts[path] :]) for path in paths}
        twins = {path for path in paths if sum(names[path] == name for name in names.values()) > 1}
        if not twins:
            return names
        parts |= {path: parts[path] + 1 for path in twins}


def _row(task: Task, receipt: Receipt | None, notebook: str) -> Row:
    if receipt is None:
        return Row(notebook, task, None)
    folder = f"{RUNS}/{quote(task.name)}"
    links = [f"{folder}/{name}" if name in receipt.files else "" for name in (NOTEBOOK, PAGE)]
    try:
        picture = (task.folder / THUMBNAIL).read_bytes() if THUMBNAIL in receipt.files else b""
    except OSError:
        picture = b""
    thumbnail = f"data:image/webp;base64,{base64.b64encode(picture).decode()}" if picture else ""
    return Row(notebook, task, receipt, links[0], links[1], thumbnail)


def _csv(rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        start = [row.notebook, row.task.settings, row.outcome, f"{row.minutes:.2f}", row.error]
        writer.writerow(start + _details(row.receipt) + [f"{RUNS}/{row.task.name}"])
    return text.getvalue().encode()


def _details(receipt: Receipt | None) -> list[object]:
    if receipt is None:
        return [""] * 6
    cell = receipt.failure.cell if receipt.failure else None
    origin = receipt.origin
    return [cell, receipt.attempt, receipt.usage.peak_megabytes, origin.device, origin.host, origin.started]


def _junit(rows: Sequence[Row]) -> bytes:
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
        elif row.receipt and row.receipt.failure:
            kind = "failure" if row.outcome == "failed" else "error"
            text = ElementTree.SubElement(case, kind, type=row.outcome, message=_printable(row.error))
            text.text = _printable(row.receipt.failure.traceback)
    return bytes(ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True))


def _printable(text: str) -> str:
    """Without the control characters that no XML may hold."""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")


def _html(rows: Sequence[Row]) -> bytes:
    counts = [(outcome, sum(row.outcome == outcome for row in rows)) for outcome in OUTCOMES]
    return render(
        "course.batch",
        rows=rows,
        counts=[(outcome, count) for outcome, count in counts if count],
        minutes=sum(row.minutes for row in rows),
    )
