"""The exercises in the lessons' notebooks: stubs in code cells, solutions folded away in the text below them."""

import re
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
_FOLDED = re.compile(
    r"<details>\s*<summary>Solution: `(?P<name>\w+)`</summary>\s*```python\n(?P<code>.*?)```\s*</details>", re.DOTALL
)


def lesson_notebooks() -> list[Path]:
    """The notebooks of all lessons, in their order."""
    return sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def solution_sources() -> dict[str, str]:
    """The code of every folded solution, by exercise."""
    texts = (
        cell.source
        for path in lesson_notebooks()
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "markdown"
    )
    return {match["name"]: match["code"] for text in texts for match in _FOLDED.finditer(text)}


def stub_sources() -> dict[str, str]:
    """The code of every cell whose metadata name an exercise, by exercise."""
    cells = (cell for path in lesson_notebooks() for cell in nbformat.read(path, as_version=4).cells)
    return {cell.metadata["exercise"]: cell.source for cell in cells if "exercise" in cell.metadata}


def run_source(source: str, name: str) -> object:
    """The value of `name` after the source has run on its own."""
    space: dict[str, object] = {}
    exec(compile(source, f"<{name}>", "exec"), space)
    return space[name]


def solutions() -> dict[str, object]:
    """The object that each folded solution defines, by exercise."""
    return {name: run_source(source, name) for name, source in solution_sources().items()}
