"""The answers in a notebook: which cell holds each, what it needs of other cells, and what its student should know."""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from course.asking.cells import CodeCell, borrowed

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Answer:
    """The source of an exercise's cell, the statements of other cells that it needs, and notes, each a sentence."""

    source: str
    borrowed: str = ""
    notes: tuple[str, ...] = ()


def find_answers(cells: Sequence[CodeCell], names: Sequence[str]) -> dict[str, Answer]:
    """The answer to each exercise, by exercise; an exercise without a cell is left out.

    A cell holds an answer if its metadata name the exercise, or if it defines a function of that name. Of several, the
    last counts, as it does in a notebook, but for stubs that are unchanged. If there is none, the last cell counts that
    gives the name any value.
    """
    found = {name: _find(cells, name) for name in names}
    return {name: answer for name, answer in found.items() if answer is not None}


def _find(cells: Sequence[CodeCell], name: str) -> Answer | None:
    every = range(len(cells))
    holding = [place for place in every if cells[place].exercise == name or _defines(cells[place], name)]
    holding = holding or [place for place in every if _mentions(cells[place], name)][-1:]
    if not holding:
        return None
    written = [place for place in holding if not _is_stub(cells[place], name)]
    place = (written or holding)[-1]
    return Answer(cells[place].source, _borrowed(cells, place), tuple(_notes(cells[place], name, written, holding)))


def _notes(cell: CodeCell, name: str, written: Sequence[int], holding: Sequence[int]) -> list[str]:
    notes = []
    if len(written) > 1:
        notes.append(f"{len(written)} cells answer {name}: the last of them is graded.")
    if written and written[-1] != holding[-1]:
        notes.append(f"below the answer stands the stub of {name} again, which a run from top to bottom would take.")
    if cell.magics:
        notes.append(f"left out, as it is no Python: {'; '.join(cell.magics)[:200]}")
    return notes


def _borrowed(cells: Sequence[CodeCell], place: int) -> str:
    try:
        return borrowed(cells, place)
    except (SyntaxError, ValueError, RecursionError):  # what can be parsed may still be no Python
        return ""


def _defines(cell: CodeCell, name: str) -> bool:
    """Whether it defines a function or a class of this name; by a look at its lines if it is no Python."""
    if not cell.is_python:
        return bool(re.search(rf"^(def|class) +{name}\b", cell.source, re.MULTILINE))
    return any(isinstance(one, _DEFINITIONS) and one.name == name for one in cell.statements) or any(
        isinstance(one, ast.Assign) and isinstance(one.value, ast.Lambda) and _targets(one, name)
        for one in cell.statements
    )


def _mentions(cell: CodeCell, name: str) -> bool:
    return any(isinstance(one, ast.Assign | ast.AnnAssign) and _targets(one, name) for one in cell.statements)


def _targets(statement: ast.Assign | ast.AnnAssign, name: str) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def _is_stub(cell: CodeCell, name: str) -> bool:
    """Whether all definitions of the name do nothing: beside a docstring they hold None, `pass` or `...`."""
    definitions = [one for one in cell.statements if isinstance(one, _DEFINITIONS) and one.name == name]
    if not definitions:
        given = [one for one in cell.statements if isinstance(one, ast.Assign) and _targets(one, name)]
        return bool(given) and all(_is_nothing(one.value) for one in given)
    return all(_does_nothing(statement) for one in definitions for statement in one.body)


def _does_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass) or (isinstance(statement, ast.Return) and _is_nothing(statement.value))


def _is_nothing(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value in (None, ...))
