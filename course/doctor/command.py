"""The command `doctor`: tables of what this machine has and lacks, and of how long everything takes on it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from course.errors import MachineError
from transferkit.commands import add_usual_options
from transferkit.disk.prepared import find_work_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from course.doctor.checks import Finding
    from course.doctor.outlook import Outlook, Prospect, Tally

BUSY = 0.2  # share of the processor; if others use more, the trial measures them too
_UNITS = (("s", 1.0), ("min", 60.0), ("h", 3600.0), ("days", 86400.0), ("years", 365.25 * 86400))


def add_options(command: argparse.ArgumentParser) -> None:
    """What `doctor` takes."""
    command.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    command.add_argument("--again", action="store_true", help="measure anew what was measured before")
    command.add_argument("--quick", action="store_true", help="only look, no trial training")
    add_usual_options(command)


def doctor(options: argparse.Namespace) -> None:
    """Show the findings, then the minutes. Raises MachineError when something that is needed is missing."""
    from course.doctor.checks import examine
    from course.doctor.outlook import look_ahead

    work, console = options.work or find_work_folder(), Console()
    findings = examine(work)
    console.print(findings_table(findings))
    if not options.quick:
        console.print("Ten seconds of trial training on every worker, unless that was done before ...", style="dim")
        outlook = look_ahead(work, options.device, again=options.again)
        console.print(outlook_table(outlook))
        console.print(tally_line(outlook.tally), highlight=False)
        console.print(f"photos, preset quick: {outlook.learned}", highlight=False)
    lacking = [finding.what for finding in findings if finding.needed and not finding.good]
    if lacking:
        raise MachineError(f"{', '.join(lacking)}: not as needed; the table above says what to do.")


def findings_table(findings: Sequence[Finding]) -> Table:
    """One row for each finding, with its verdict in words."""
    table = Table(title="This machine")
    table.add_column("what", no_wrap=True)
    table.add_column("found", overflow="fold")
    table.add_column("verdict", overflow="fold")
    for finding in findings:
        style = "green" if finding.good else "red" if finding.needed else "dim"
        table.add_row(finding.what, finding.found, f"[{style}]{finding.verdict.replace('[', chr(92) + '[')}[/]")
    return table


def outlook_table(outlook: Outlook) -> Table:
    """Minutes for each lesson at the preset quick and for one grid at each preset; and what the last batch took."""
    workers = f"{outlook.workers} worker{'s' * (outlook.workers > 1)}"
    caption = (
        f"{outlook.device}, {workers}. Predictions count training only; a batch also looks at data and draws. "
        "smoke, class and paper are scaled from quick by multiply-adds."
    )
    if outlook.busy > BUSY:
        caption += f" Others used {outlook.busy:.0%} of the processor just before: ask again when it is free."
    table = Table(title="How long training takes here", caption=caption)
    table.add_column("lesson, or preset", no_wrap=True)
    for heading in ("networks", "from nothing", "still to train", "last batch"):
        table.add_column(heading, justify="right")
    for prospect in outlook.lessons:
        table.add_row(*_cells(prospect), _last_batch(prospect.last))
    table.add_section()
    for prospect in outlook.grids:
        name, *cells = _cells(prospect)
        table.add_row(f"one grid, {name}", *cells, "")
    return table


def tally_line(tally: Tally) -> str:
    """Predicted against actual, in one sentence."""
    if not tally.networks:
        return "No network has been trained on this device yet, so nothing can be compared with the prediction."
    return (
        f"Predicted against actual: this device has trained {tally.networks} networks of this kind in "
        f"{span(tally.taken)} of workers' time; the probe predicts {span(tally.predicted)} "
        f"({100 * (tally.predicted / tally.taken - 1):+.0f} %)."
    )


def span(seconds: float) -> str:
    """Seconds in the unit that people would use: `40 s`, `4.2 min`, `3.1 h`, `12 days`, `8.0 years`."""
    name, unit = next(((name, unit) for name, unit in reversed(_UNITS) if seconds >= 1.5 * unit), _UNITS[0])
    value = seconds / unit
    return f"{value:.0f} {name}" if name == "s" or value >= 10 else f"{value:.1f} {name}"


def _cells(prospect: Prospect) -> tuple[str, str, str, str]:
    left = "all there" if not prospect.networks_left else f"{prospect.networks_left}: {span(prospect.seconds_left)}"
    return prospect.name, str(prospect.networks), span(prospect.seconds), left


def _last_batch(tally: Tally | None) -> str:
    if tally is None:
        return ""
    return f"{span(tally.taken)}, {tally.networks} trained (predicted {span(tally.predicted)})"
