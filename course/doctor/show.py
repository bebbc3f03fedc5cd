"""What the doctor found, as tables to read."""

from collections.abc import Sequence

from rich.table import Table

from course.doctor.checks import Finding
from course.doctor.outlook import Outlook, Prospect
from course.doctor.record import Outcome

BUSY = 0.2  # of the processor: above this share, the trial says more about others
_UNITS = (("s", 1.0), ("min", 60.0), ("h", 3600.0), ("days", 86400.0), ("years", 365.25 * 86400))


def findings_table(findings: Sequence[Finding]) -> Table:
    """One row per thing that was looked for, its verdict in words."""
    table = Table(title="This machine")
    table.add_column("what", no_wrap=True)
    table.add_column("found", overflow="fold")
    table.add_column("verdict", overflow="fold")
    for finding in findings:
        style = "green" if finding.good else "red" if finding.needed else "dim"
        table.add_row(finding.what, finding.found, f"[{style}]{finding.verdict.replace('[', chr(92) + '[')}[/]")
    return table


def outlook_table(outlook: Outlook) -> Table:
    """Minutes per lesson at the preset quick, and per preset for one grid; what a batch took, where there was one."""
    workers = f"{outlook.workers} worker{'s' * (outlook.workers > 1)}"
    caption = (
        f"{outlook.device}, {workers}. Training alone; looking and drawing come on top, and are in what a batch took. "
        "smoke, class and paper are scaled from quick by multiply-adds."
    )
    if outlook.busy > BUSY:
        caption += f" Others used {outlook.busy:.0%} of the processor just before: ask again when it is free."
    table = Table(title="What training takes here", caption=caption)
    table.add_column("lesson, or preset", no_wrap=True)
    for heading in ("networks", "from nothing", "still to train", "last batch"):
        table.add_column(heading, justify="right")
    for prospect in outlook.lessons:
        table.add_row(*_cells(prospect), _told(prospect.last))
    table.add_section()
    for prospect in outlook.grids:
        name, *cells = _cells(prospect)
        table.add_row(f"one grid, {name}", *cells, "")
    return table


def outcome_line(outcome: Outcome) -> str:
    """Predicted against actual, in one sentence."""
    if not outcome.networks:
        return "No network has been trained on this device yet, so nothing can be compared with the prediction."
    return (
        f"Predicted against actual: the {outcome.networks} networks of this kind that this device has trained took "
        f"{span(outcome.taken)} of workers' time, by the probe {span(outcome.predicted)} "
        f"({100 * (outcome.predicted / outcome.taken - 1):+.0f} %)."
    )


def span(seconds: float) -> str:
    """Seconds in the unit that people would use: `40 s`, `4.2 min`, `3.1 h`, `12 days`, `8.0 years`."""
    name, unit = next(((name, unit) for name, unit in reversed(_UNITS) if seconds >= 1.5 * unit), _UNITS[0])
    value = seconds / unit
    return f"{value:.0f} {name}" if name == "s" or value >= 10 else f"{value:.1f} {name}"


def _cells(prospect: Prospect) -> tuple[str, str, str, str]:
    left = "all there" if not prospect.networks_left else f"{prospect.networks_left}: {span(prospect.seconds_left)}"
    return prospect.name, str(prospect.networks), span(prospect.seconds), left


def _told(last: Outcome | None) -> str:
    if last is None:
        return ""
    return f"{span(last.taken)}, {last.networks} trained (predicted {span(last.predicted)})"
