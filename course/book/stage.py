"""The tree of files that Sphinx reads: the pages, the executed lessons, and whatever they link to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from course.book.lessons import contents, group, read_lesson, syllabus
from course.book.links import LESSONS, Links
from course.book.markers import fill
from course.book.outputs import tidy
from course.book.tables import RESULTS, sections, within

COURSE = Path(__file__).parent
HOME = "index"
ORDER = ("instructors", "assistants", "evidence", "further", "glossary", "references")  # other pages follow
BIBLIOGRAPHY = "references.bib"


@dataclass(frozen=True)
class Executed:
    """An executed lesson: the notebook it was made from, the file, and a sentence on how and where it ran."""

    source: Path
    path: Path
    told: str = ""


def stage(lessons: Sequence[Executed], folder: Path) -> None:
    """Lay out in an empty folder what the book is built from. Raises OSError when it cannot be written."""
    links = Links(folder, tuple(lesson.source.stem for lesson in lessons))
    pages = {path.stem: path for path in sorted(COURSE.glob("*.md")) if path.name != "README.md"}
    found = generated(lessons, list(pages))
    for name, path in pages.items():
        text = path.read_text()
        text = fill(text, within(text, found))
        (folder / f"{name}.md").write_text(links.follow(text, path, folder))
    (folder / BIBLIOGRAPHY).write_bytes((COURSE / BIBLIOGRAPHY).read_bytes())
    (folder / LESSONS).mkdir()
    for lesson in lessons:
        notebook = tidy(nbformat.read(lesson.path, as_version=4), lesson.told)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = links.follow(cell.source, lesson.source, folder / LESSONS)
        nbformat.write(notebook, folder / LESSONS / f"{lesson.source.stem}.ipynb")


def generated(lessons: Sequence[Executed], pages: Sequence[str]) -> dict[str, str]:
    """What programs put between the markers of the pages, in Markdown, by the marker's name."""
    parts = group(read_lesson(lesson.source) for lesson in lessons)
    ordered = dict.fromkeys([*(name for name in ORDER if name in pages), *sorted(set(pages) - {HOME})])
    return sections(RESULTS) | {"lessons": syllabus(parts), "contents": contents(parts, list(ordered))}
