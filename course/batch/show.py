"""The progress of a batch: a live bar on a terminal, a line per notebook elsewhere."""

from collections.abc import Iterable
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from course.batch.drive import BatchProgress
from course.batch.tasks import shown

STYLES = {"done": "green", "failed": "red", "timeout": "yellow", "died": "red"}


def show_progress(batch: Iterable[BatchProgress], console: Console) -> BatchProgress:
    """Run a batch to its end while showing its progress; return the last state."""
    columns = (TextColumn("notebooks"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[state]}"))
    skipped: int | None = None
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None, state="")
        for progress in batch:
            if skipped is None:
                skipped = len(progress.records)
                bar.console.print(_beginning(progress), highlight=False, soft_wrap=True)
            bar.update(task, total=progress.planned, completed=len(progress.records), state=_left(progress))
            _announce(progress, bar.console)
    console.print(_ending(progress, skipped or 0), highlight=False, soft_wrap=True)
    return progress


def _announce(progress: BatchProgress, console: Console) -> None:
    if progress.newest is None:
        return
    task, record = progress.newest
    line = f"{record.outcome:7} {_clock(record.usage.seconds)}  {task.title}"
    if record.failure:
        line += f": {shown(record.failure.error)}"
    line += "".join(f" ({note})" for note in record.notes)
    if not console.is_terminal:
        line = f"[{len(progress.records)}/{progress.planned}] {line}  ({_left(progress)})"
    style = STYLES[record.outcome] if console.is_terminal else None
    console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)


def _left(progress: BatchProgress) -> str:
    return "starting" if progress.seconds_left is None else f"{_clock(progress.seconds_left)} left"


def _beginning(progress: BatchProgress) -> str:
    done = len(progress.records)
    return f"{_count(progress.planned)}, {done} of them done before; {progress.planned - done} to run."


def _count(notebooks: int) -> str:
    return f"{notebooks} notebook{'s' * (notebooks != 1)}"


def _ending(progress: BatchProgress, skipped: int) -> str:
    run = len(progress.records) - skipped
    before = f", {skipped} of them before" if skipped else ""
    return (
        f"{progress.done} of {progress.planned} notebooks are done{before}; "
        f"this call ran {run} in {_clock(progress.seconds)}."
    )


def _clock(seconds: float) -> str:
    """Seconds as hours, minutes and seconds: 0:12:30."""
    return str(timedelta(seconds=round(seconds)))
