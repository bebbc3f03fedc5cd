"""The command about this machine: what it has and lacks, and how long everything takes on it."""

import argparse

from rich.console import Console

from course.doctor import examine, findings_table, look_ahead, outcome_line, outlook_table
from transferkit.disk.prepared import find_work_folder
from transferkit.errors import MachineError


def doctor(options: argparse.Namespace) -> None:
    """Show the findings, then the minutes. Raises MachineError when something that is needed is missing."""
    work, console = options.work or find_work_folder(), Console()
    findings = examine(work)
    console.print(findings_table(findings))
    if not options.quick:
        console.print("Ten seconds of trial training on every worker, unless that was done before ...", style="dim")
        outlook = look_ahead(work, options.device, again=options.again)
        console.print(outlook_table(outlook))
        console.print(outcome_line(outlook.outcome), highlight=False)
    lacking = [finding.what for finding in findings if finding.needed and not finding.good]
    if lacking:
        raise MachineError(f"{', '.join(lacking)}: not as needed; the table above says what to do.")
