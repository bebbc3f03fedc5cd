"""What the command line and the notebooks show: the progress of a sweep, the plan, the paired differences.

What is slow to import is imported where it is used: a sweep shows its progress without pandas, a batch without torch.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Column, Table

from transferkit.treatments import TREATMENTS, Run

if TYPE_CHECKING:
    import pandas as pd

    from transferkit.disk.store import Receipt
    from transferkit.training.forecast import Probe
    from transferkit.training.study import Study
    from transferkit.training.sweep import Progress


def plan_table(study: Study, runs: Sequence[Run], done: Collection[Receipt], found: Probe) -> Table:
    """A table of the runs by seed and treatment, finished ones in green, and how long the others will take."""
    receipts = {receipt.run: receipt for receipt in done}
    setting = study.setting
    table = Table(
        "split, seed", "treatment", Column("networks", max_width=72),  # a page of JupyterLab
        title=f"{setting.data}, {setting.net.name} net, {setting.device}, {setting.precision}",
        caption=f"{len(done)} of {len(runs)} networks are there (marked *)" + _forecasts(study, runs, receipts, found),
    )  # fmt: skip
    groups = dict.fromkeys((run.split, run.seed, treatment) for treatment in TREATMENTS for run in runs)
    for split, seed, treatment in sorted(groups, key=lambda group: group[:2]):
        members = [run for run in runs if (run.split, run.seed, run.treatment) == (split, seed, treatment)]
        if members:
            labels = (f"[green]{run.label}*[/]" if run in receipts else run.label for run in members)
            table.add_row(f"{split}, {seed}", treatment, " ".join(labels))
    return table


def _forecasts(study: Study, runs: Sequence[Run], done: Mapping[Run, Receipt], found: Probe) -> str:
    """The time left by the probe, and a comparison of its forecast with the time that finished networks took."""
    from transferkit.training.forecast import expected_images, forecast, seconds_of

    words = []
    if todo := [run for run in runs if run not in done]:
        images = sum(expected_images(study, run) for run in todo)
        workers = f"{found.workers} worker{'s' if found.workers > 1 else ''}"
        words.append(
            f"; to train: {len(todo)}, {images:,} images, about {clock(forecast(study, todo, found))} "
            f"(minutes:seconds) on {workers}"
        )
    if done:
        groups = {run: len(receipt.times.shared_with) + 1 for run, receipt in done.items()}
        expected = sum(seconds_of(study, run, found, groups[run]) for run in done)
        taken = sum(receipt.times.seconds for receipt in done.values())
        words.append(f"; those there took {clock(taken)} of workers' time, by the probe {clock(expected)}")
    return "".join(words)


def paired_table(table: pd.DataFrame) -> Table:
    """Mean paired difference per treatment and n, in points; with a 95 % interval if there are enough splits.

    >>> [column.header for column in tk.paired_table(table).columns]
    ['treatment', 'n=3']
    """
    from transferkit.results import summarise

    summary = summarise(table).set_index(["treatment", "n"])
    bases, points = table[table["treatment"] == "base"]["top1"], sorted({n for _, n in summary.index} - {0})
    shown = Table(
        "treatment", *(Column(f"n={n}", justify="right") for n in points),
        title="Top-1 accuracy minus that of the own target's base, in points",
        caption=f"base: {100 * bases.mean():.1f} % ({len(bases)} networks, "
        f"{100 * bases.min():.1f} to {100 * bases.max():.1f}); {_counts(summary)}",
    )  # fmt: skip
    for treatment in (name for name in TREATMENTS[1:] if name in summary.index):
        shown.add_row(treatment, *(_cell(summary, treatment, n) for n in points))
    return shown


def _cell(summary: pd.DataFrame, treatment: str, n: int) -> str:
    if (treatment, n) not in summary.index:
        return ""
    mean, low, high = (float(summary[column][treatment, n]) for column in ("paired", "low", "high"))
    interval = "" if math.isnan(low) else f" ±{50 * (high - low):.1f}"
    return f"{100 * mean:+.1f}{interval}"


def _counts(summary: pd.DataFrame) -> str:
    counts = summary.query("n > 0")["count"]
    if counts.empty:
        return "no chopped networks"
    fewest, most = counts.min(), counts.max()
    return f"{fewest if fewest == most else f'{fewest} to {most}'} networks per cell"


def show_progress(sweep: Iterable[Progress], console: Console) -> Progress:
    """Run a sweep to its end, with a live bar on a terminal or a line per network elsewhere; return its last state."""
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
    """Run a sweep to its end, with one line that is rewritten in place, so that a saved notebook keeps the last."""
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


def clock(seconds: float) -> str:
    """Seconds as people write them: 0:07, 12:30, 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
