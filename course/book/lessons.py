"""What each lesson's first cell says about it, and the parts into which the book groups the lessons."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

PARTS = {
    "First things": ("00", "01"),
    "The experiment": ("02", "03", "04"),
    "What the paper found": ("05", "06", "07"),
    "What it is worth": ("08", "09", "10"),
}
FURTHER = "Further lessons"


@dataclass(frozen=True)
class Lesson:
    """A lesson: its file name without the ending, its title with the number, the time it takes, and its goals."""

    name: str
    title: str
    time: str
    goals: tuple[str, ...]


def read_lesson(path: Path) -> Lesson:
    """What a notebook's first cell says. What it does not say is empty; a missing title is the file's name."""
    notebook = nbformat.read(path, as_version=4)
    text = notebook.cells[0].source if notebook.cells else ""
    title = re.search(r"^# (.+)$", text, re.MULTILINE)
    goals = text.partition("**You will be able to**")[2].partition("**Time**")[0]
    time = re.search(r"^\*\*Time\*\*: ([^.]+)\.", text, re.MULTILINE)
    return Lesson(
        path.stem,
        title[1] if title else path.stem,
        time[1] if time else "",
        tuple(goal.rstrip(";.") for goal in re.findall(r"^- (.+)$", goals, re.MULTILINE)),
    )


def group(lessons: Iterable[Lesson]) -> dict[str, list[Lesson]]:
    """The lessons by part, in the order of their names, without empty parts."""
    grouped: dict[str, list[Lesson]] = {part: [] for part in (*PARTS, FURTHER)}
    for lesson in sorted(lessons, key=lambda lesson: lesson.name):
        part = next((part for part, numbers in PARTS.items() if lesson.name[:2] in numbers), FURTHER)
        grouped[part].append(lesson)
    return {part: members for part, members in grouped.items() if members}


def syllabus(parts: dict[str, list[Lesson]]) -> str:
    """In Markdown, a heading for each part, and a link, the time and the goals for each lesson."""
    return "\n".join(
        line
        for part, lessons in parts.items()
        for line in (f"### {part}", "", *(line for lesson in lessons for line in _described(lesson)))
    )


def contents(parts: dict[str, list[Lesson]], pages: Sequence[str]) -> str:
    """The tables of contents that Sphinx reads: one for each part, and one for the other pages."""
    groups = {part: [f"lessons/{lesson.name}" for lesson in lessons] for part, lessons in parts.items()}
    groups["Around the lessons"] = list(pages)
    return "\n".join(
        "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *names, "```"])
        for caption, names in groups.items()
    )


def _described(lesson: Lesson) -> list[str]:
    time = f" · {lesson.time}" if lesson.time else ""
    goals = [f"- {goal}" for goal in lesson.goals]
    return [f"[**{lesson.title}**](lessons/{lesson.name}.ipynb){time}", "", *goals, *[""] * bool(goals)]
