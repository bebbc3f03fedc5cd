"""Lays out the files that Sphinx reads: the pages, the executed lessons, and the files that they link to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_output

from course.book.lessons import contents, group, read_lesson, syllabus
from course.book.links import LESSONS, Links
from course.book.markers import fill, within
from course.book.tables import RESULTS, sections

COURSE = Path(__file__).parents[1]
HOME = "index"
ORDER = (
    "instructors",
    "assistants",
    "findings",
    "evidence",
    "commands",
    "practice",
    "further",
    "refusals",
    "glossary",
    "references",
)  # the other pages follow
WIDGET = "application/vnd.jupyter.widget-view+json"
INJECTED = "injected-parameters"  # papermill's tag for the cell that it adds
INSTEAD = (
    '<p class="interactive">Here stands something to try: open this lesson in JupyterLab (<code>make lab</code>).</p>'
)
SUMMARY = re.compile(r"(?<=<summary>).*?(?=</summary>)")


@dataclass(frozen=True)
class Executed:
    """An executed lesson: its notebook, the executed file, and a sentence that says how and where it ran."""

    source: Path
    path: Path
    note: str = ""


def stage(lessons: Sequence[Executed], folder: Path) -> None:
    """Lay out the sources of the book in an empty folder. Raises OSError if they cannot be written."""
    links = Links(folder, tuple(lesson.source.stem for lesson in lessons))
    pages = {path.stem: path for path in sorted(COURSE.glob("*.md")) if path.name != "README.md"}
    found = generated(lessons, list(pages))
    for name, path in pages.items():
        text = path.read_text()
        text = fill(text, within(text, found))
        (folder / f"{name}.md").write_text(links.follow(text, path, folder))
    (folder / LESSONS).mkdir()
    for lesson in lessons:
        notebook = tidy(nbformat.read(lesson.path, as_version=4), lesson.note)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = links.follow(cell.source, lesson.source, folder / LESSONS)
        nbformat.write(notebook, folder / LESSONS / f"{lesson.source.stem}.ipynb")


def generated(lessons: Sequence[Executed], pages: Sequence[str]) -> dict[str, str]:
    """The Markdown that goes between the markers of the pages, by the marker's name."""
    parts = group(read_lesson(lesson.source) for lesson in lessons)
    ordered = dict.fromkeys([*(name for name in ORDER if name in pages), *sorted(set(pages) - {HOME})])
    return sections(RESULTS) | {"lessons": syllabus(parts), "contents": contents(parts, list(ordered))}


def tidy(notebook: NotebookNode, note: str) -> NotebookNode:
    """Change a notebook into what the book shows: pictures, no widgets, and `note` below its first cell."""
    notebook.metadata.pop("widgets", None)
    notebook.cells = [cell for cell in notebook.cells if INJECTED not in cell.metadata.get("tags", ())]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [_still(output) for output in cell.outputs]
        else:
            cell.source = SUMMARY.sub(lambda words: re.sub("`([^`]*)`", r"<code>\1</code>", words[0]), cell.source)
    if note:
        notebook.cells.insert(1, new_markdown_cell(f"*{note}*", id="executed"))
    return notebook


def _still(output: Any) -> Any:
    """The output without a kernel: a widget becomes the picture that comes with it, or a line in its place."""
    data = output.get("data", {})
    if "image/png" in data:
        output.data = {"image/png": data["image/png"]}
    elif WIDGET in data:
        return new_output("display_data", {"text/html": INSTEAD})
    return output
