"""How a sweep is told while it runs: a bar on a terminal, a line per network elsewhere, one line in a notebook."""

from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from transferkit.clock import clock
from transferkit.store import Receipt
from transferkit.sweep import Progress


def show_progress(sweep: Iterable[Progress], console: Console) -> Progress:
    """Run a sweep to its end, with a live bar on a terminal and a line per network elsewhere; return its last state."""
    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[state]}"))
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None, state="")
        for progress in sweep:
            bar.update(task, total=progress.planned, completed=progress.done, state=_state(progress))
            if progress.newest is not None:
                _announce(progress, progress.newest, bar.console)
    console.print(_ending(progress), highlight=False)
    return progress


def show_progress_in_notebook(sweep: Iterable[Progress]) -> Progress:
    """Run a sweep to its end under one line that is rewritten in place: a saved notebook keeps the last."""
    from IPython.display import HTML, display

    handle = display(HTML("starting"), display_id=True)
    for progress in sweep:
        bar = f'<progress value="{progress.done}" max="{progress.planned}"></progress>'
        handle.update(HTML(f"{bar} {progress.done} of {progress.planned} networks, {_state(progress)}"))
    handle.update(HTML(_ending(progress)))
    return progress


def _ending(progress: Progress) -> str:
    spent = f"this call took {clock(progress.seconds)} for {progress.images:,} images"
    return f"{progress.done} of {progress.planned} networks are there; {spent}."


def _announce(progress: Progress, newest: Receipt, console: Console) -> None:
    line = f"{newest.run.label:6} top-1 {newest.final.top1:.3f}  {newest.times.seconds:5.1f} s"
    if not console.is_terminal:
        line = f"[{progress.done}/{progress.planned}] {line}  {_state(progress)}"
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _state(progress: Progress) -> str:
    if progress.seconds_left is None:
        return "starting the workers"
    return f"{progress.images_per_second:,.0f} images/s, {clock(progress.seconds_left)} left"
