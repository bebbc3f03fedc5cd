"""What a notebook's parameters cell declares; values that would silently do nothing, or fail later, are refused."""

import ast
import difflib
import io
import re
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from transferkit.errors import UsageError

PARAMETERS, INJECTED = "parameters", "injected-parameters"  # papermill's tags
WORDS = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a mapping",
}
LOOK_EVERYWHERE = frozenset({"globals", "locals", "vars", "eval", "exec", "get_ipython"})


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell: the name, the literal it assigns, and its `# help:` comment."""

    name: str
    default: Any
    help: str

    def __str__(self) -> str:
        return f"{self.name} = {self.default!r}" + (f"  # {self.help}" if self.help else "")


@dataclass(frozen=True)
class Code:
    """The code of a notebook that matters for parameters: the parameters cell, and the cells below it."""

    parameters: str
    below: tuple[str, ...]


def read_code(notebook: Mapping[str, Any]) -> Code:
    """The code of a notebook of format 4, as JSON or as nbformat reads it, without the cell that papermill injects."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    cells = [cell for cell in cells if INJECTED not in cell["metadata"].get("tags", ())]
    tagged = [number for number, cell in enumerate(cells) if PARAMETERS in cell["metadata"].get("tags", ())]
    sources = ["".join(cell["source"]) for cell in cells]
    if not tagged:
        return Code("", tuple(sources))
    return Code(sources[tagged[0]], tuple(sources[tagged[0] + 1 :]))


def declared(code: Code) -> dict[str, Parameter]:
    """The parameters by name: the literals that the parameters cell assigns; none if it is not plain Python."""
    try:
        tree = ast.parse(code.parameters)
    except SyntaxError:
        return {}
    comments = _comments(code.parameters)
    found = {}
    for statement in tree.body:
        for name in _bound(statement):
            value = getattr(statement, "value", None)
            if value is not None and _is_literal(value):
                explanation = comments.get(statement.end_lineno or 0, "")
                found[name] = Parameter(name, ast.literal_eval(value), explanation)
    return found


def check(code: Code, given: Mapping[str, Any], notebook: str) -> None:
    """Refuse a parameter that `notebook` does not know or never reads, or whose type is not that of its default.

    Raises UsageError for the first such parameter, and lists those that the notebook knows.
    """
    known = declared(code)
    listed = "".join(f"\n  {parameter}" for parameter in known.values()) or " none"
    for name, value in given.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" (did you mean '{close[0]}'?)" if close else ""
            raise UsageError(f"{notebook} has no parameter '{name}'{hint}; its parameters are:{listed}")
        if not _fits(known[name].default, value):
            raise UsageError(
                f"{notebook} takes {WORDS[type(known[name].default)]} for '{name}', not {value!r}{_remedy(value)}; "
                f"its parameters are:{listed}"
            )
        if problem := _useless(code, name):
            raise UsageError(f"'{name}' would change nothing in {notebook}: {problem}.")


def parse(parameter: Parameter, text: str) -> Any:
    """A text from the command line as a value of the parameter's type; the text itself if that fails."""
    kind = type(parameter.default)
    if kind is str:
        return text
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        return kind(text) if kind in (int, float) else ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _fits(default: Any, value: Any) -> bool:
    if default is None:
        return True
    kinds = (int, float) if type(default) is float else (type(default),)
    return type(value) in kinds and type(default) in WORDS


def _remedy(value: Any) -> str:
    try:
        number = float(value) if isinstance(value, str) else None
    except ValueError:
        number = None
    return "" if number is None else f" as text (in YAML, 1e-3 is text, and 1.0e-3 a number: write {number!r})"


def _useless(code: Code, name: str) -> str:
    """Why setting `name` after the parameters cell has no effect; empty if it has one."""
    for statement in ast.parse(code.parameters).body:
        if _loads(statement, {name}):
            return "its parameters cell already computes with it, and that is not done again; move it to the next cell"
    for source in code.below:
        tree = _parse(source)
        if tree is None:  # magics, or another language
            if re.search(rf"\b{re.escape(name)}\b", source):
                return ""
            continue
        for statement in tree.body:
            if _loads(statement, {name} | LOOK_EVERYWHERE):
                return ""
            if name in _bound(statement):
                return "a cell below sets it again before it is read"
    return "no cell below the parameters cell reads it"


def _loads(statement: ast.stmt, names: Iterable[str]) -> bool:
    for node in ast.walk(statement):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id in names:
            return True
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
            return True
    return False


def _bound(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets = [statement.target]
    else:
        return []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _parse(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except SyntaxError:
        return None


def _is_literal(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except ValueError:
        return False
    return True


def _comments(source: str) -> dict[int, str]:
    """Comments by line number, without a leading `help:`."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = ((token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT)
    return {line: re.sub(r"^#\s*(help:)?\s*", "", text) for line, text in comments}
