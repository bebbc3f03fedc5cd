"""What a batch would do, without doing it: how many notebooks, and about how many minutes by what they took before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from course.batch.records import RECORD, Record, find
from course.batch.tasks import RUNS, Task
from course.doctor.lesson_times import find_lesson

MINUTE = 60.0


@dataclass(frozen=True)
class Expected:
    """A task that would run, and the seconds that it or its notebook took before; None if it never ran here."""

    task: Task
    seconds: float | None


@dataclass(frozen=True)
class DryRun:
    """The tasks of a batch: how many are done, and those that would run."""

    done: int
    to_run: tuple[Expected, ...]

    def minutes(self, workers: int) -> float:
        """About how long those would take whose time is known."""
        seconds = [one.seconds for one in self.to_run if one.seconds is not None]
        return max(sum(seconds) / workers, max(seconds, default=0.0)) / MINUTE

    def lines(self, workers: int) -> list[str]:
        """What to tell: one line for each task that would run, and the sums."""
        rows = [f"would run  {_minutes(one.seconds):>12}  {one.task.title}" for one in self.to_run]
        planned, todo = self.done + len(self.to_run), len(self.to_run)
        unknown = sum(one.seconds is None for one in self.to_run)
        sums = f"{planned} notebooks: {self.done} done before, {todo} to run, {workers} at once"
        if unknown < todo:
            sums += f"; about {self.minutes(workers):.1f} minutes by what they took before"
        if unknown:
            sums += f"; {unknown} never ran here, so nothing is known of their minutes"
        return [*rows, f"{sums}. Nothing was run or written."]


def look_ahead(tasks: Sequence[Task]) -> DryRun:
    """What is done, and what would run; reads the records in the output folder, and the times of lessons."""
    todo = [task for task in tasks if find(task) is None]
    earlier = _earlier(Path(tasks[0].out))
    return DryRun(len(tasks) - len(todo), tuple(Expected(task, _seconds(task, earlier)) for task in todo))


def _earlier(out: Path) -> dict[str, list[Record]]:
    """The records of notebooks that were done in this folder, under any code, by the notebook's path."""
    found: dict[str, list[Record]] = {}
    for path in sorted((out / RUNS).glob(f"*/{RECORD}")):
        try:
            record = Record.decode(path.read_bytes())
        except (OSError, ValueError):
            continue
        if record.outcome == "done":
            found.setdefault(record.notebook, []).append(record)
    return found


def _seconds(task: Task, earlier: Mapping[str, Sequence[Record]]) -> float | None:
    """The mean time of the same notebook: with the same parameters if there is one, else with any."""
    records = earlier.get(task.notebook, ())
    same = [record for record in records if repr(record.parameters) == repr(dict(task.parameters))]
    taken = [record.usage.seconds for record in same or records]
    if not taken:
        preset = str(task.parameters.get("preset", "quick"))
        lesson = find_lesson(Path(task.work), Path(task.notebook).stem, preset)
        taken = [lesson.seconds] if lesson else []
    return sum(taken) / len(taken) if taken else None


def _minutes(seconds: float | None) -> str:
    return "not known" if seconds is None else f"{seconds / MINUTE:.1f} minutes"
