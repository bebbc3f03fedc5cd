"""The progress of a batch: a live bar on a terminal, a line per notebook elsewhere."""

from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from course.batch.drive import Progress
from transferkit.console import clock

STYLES = {"done": "green", "failed": "red", "timeout": "yellow", "died": "red"}


def show_progress(batch: Iterable[Progress], console: Console) -> Progress:
    """Run a batch to its end and show how far it is; return its last state."""
    columns = (TextColumn("notebooks"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[state]}"))
    skipped: int | None = None
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None, state="")
        for progress in batch:
            skipped = len(progress.receipts) if skipped is None else skipped
            bar.update(task, total=progress.planned, completed=len(progress.receipts), state=_left(progress))
            _announce(progress, bar.console)
    console.print(_ending(progress, skipped or 0), highlight=False, soft_wrap=True)
    return progress


def _announce(progress: Progress, console: Console) -> None:
    if progress.newest is None:
        return
    task, receipt = progress.newest
    line = f"{receipt.outcome:7} {clock(receipt.usage.seconds):>5}  {task.title}"
    if receipt.failure:
        line += f": {receipt.failure.error}"
    if not console.is_terminal:
        line = f"[{len(progress.receipts)}/{progress.planned}] {line}  ({_left(progress)})"
    style = STYLES[receipt.outcome] if console.is_terminal else None
    console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)


def _left(progress: Progress) -> str:
    return "starting" if progress.seconds_left is None else f"{clock(progress.seconds_left)} left"


def _ending(progress: Progress, skipped: int) -> str:
    run = len(progress.receipts) - skipped
    before = f", {skipped} of them before" if skipped else ""
    return (
        f"{progress.done} of {progress.planned} notebooks are done{before}; "
        f"this call ran {run} in {clock(progress.seconds)}."
    )
