"""What a notebook's parameters cell declares; values that would silently do nothing, or fail later, are refused."""

import ast
import difflib
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from course.batch.literals import Computed, evaluate, papermill_remedy, read
from transferkit.errors import UsageError

PARAMETERS, INJECTED = "parameters", "injected-parameters"  # papermill's tags
WORDS = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    tuple: "a tuple",
    dict: "a mapping",
    set: "a set",
    bytes: "bytes",
    complex: "a complex number",
}
LOOK_EVERYWHERE = frozenset({"globals", "locals", "vars", "eval", "exec", "get_ipython"})
CELL_MAGIC = re.compile(r"\s*%%(\w*)[^\n]*")
UNKNOWN = ast.Name("...", ast.Load())
TRANSPARENT = ("time", "capture", "prun")  # cell magics that run the cell as if they were not there
Remedy = Callable[[str, Any, Any], str]  # of a parameter's name, its default, and a value that does not fit


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell: the name, the value it assigns, and its `# help:` comment."""

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
    """The parameters by name: what the parameters cell assigns; none if it is not Python.

    A default that is neither a literal nor arithmetic on numbers is Computed: then every value fits.
    """
    source = _without_magics(code.parameters)
    comments = _comments(source)
    found = {}
    for statement in _statements(source):
        explanation = comments.get(statement.end_lineno or 0, "")
        found.update({name: Parameter(name, value, explanation) for name, value in _assigned(statement)})
    return found


def check(code: Code, given: Mapping[str, Any], notebook: str, remedy: Remedy = papermill_remedy) -> None:
    """Refuse a parameter that `notebook` does not know or never reads, or whose type is not that of its default.

    Raises UsageError for the first such parameter, and lists those that the notebook knows; `remedy` says how to give
    a value that would fit.
    """
    known = declared(code)
    listed = "".join(f"\n  {parameter}" for parameter in known.values()) or " none"
    for name, value in given.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" (did you mean '{close[0]}'?)" if close else ""
            raise UsageError(
                f"{notebook} has no parameter '{name}'{hint}{_why(code, name)}; its parameters are:{listed}"
            )
        default = known[name].default
        if not _fits(default, value):
            raise UsageError(
                f"{notebook} takes {WORDS[type(default)]} for '{name}', not {value!r}{remedy(name, default, value)}; "
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
    if kind not in (int, float):
        return read(text)
    try:
        return kind(text)
    except ValueError:
        return text


def _fits(default: Any, value: Any) -> bool:
    kind = type(default)
    if kind not in WORDS:  # None, Computed: everything fits
        return True
    if kind in (dict, list, tuple):  # nbformat has mappings of its own, and makes lists of tuples
        return isinstance(value, (list, tuple) if kind is tuple else kind)
    return type(value) in ((int, float) if kind is float else (kind,))


def _why(code: Code, name: str) -> str:
    """Why a name is not found in the parameters cell, where that is not because it is not there."""
    if not code.parameters.strip():
        return f": give the cell that sets '{name}' the tag '{PARAMETERS}'"
    source = _without_magics(code.parameters)
    if magic := CELL_MAGIC.match(source):
        return f": its parameters cell is not Python but %%{magic[1]}"
    try:
        ast.parse(source)
    except (SyntaxError, ValueError) as problem:
        return f": its parameters cell is not Python ({problem})"
    return ""


def _useless(code: Code, name: str) -> str:
    """Why setting `name` after the parameters cell has no effect; empty if it has one."""
    for statement in _statements(_without_magics(code.parameters)):
        if _loads(statement, {name}):
            return "its parameters cell already computes with it, and that is not done again; move it to the next cell"
    for source in code.below:
        tree = _parse(source)
        if tree is None and re.search(rf"\b{re.escape(name)}\b", source):  # magics, or another language
            return ""
        for statement in tree.body if tree else ():
            if _loads(statement, {name} | LOOK_EVERYWHERE):
                return ""
            if isinstance(statement, ast.Assign | ast.AnnAssign) and name in dict(_assigned(statement)):
                return "a cell below sets it again before it is read"
    return "no cell below the parameters cell reads it"


def _loads(statement: ast.stmt, names: Iterable[str]) -> bool:
    for node in ast.walk(statement):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id in names:
            return True
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
            return True
    return False


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, Any]]:
    """The names that a statement binds, with their values; in a block, any of them may be."""
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from _pairs(target, statement.value)
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        yield from _pairs(statement.target, statement.value)
    elif isinstance(statement, ast.If | ast.For | ast.While | ast.With | ast.Try):
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id, Computed("...")


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, Any]]:
    if isinstance(target, ast.Name):
        yield target.id, evaluate(value)
    elif isinstance(target, ast.Starred):
        yield from _pairs(target.value, UNKNOWN)
    elif isinstance(target, ast.Tuple | ast.List):
        alike = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
        starred = any(isinstance(one, ast.Starred) for one in target.elts)
        values = value.elts if isinstance(value, ast.Tuple | ast.List) and alike and not starred else None
        for number, one in enumerate(target.elts):
            yield from _pairs(one, values[number] if values else UNKNOWN)


def _statements(source: str) -> list[ast.stmt]:
    """The statements of a source; none if it is not Python."""
    tree = _parse(source)
    return tree.body if tree else []


def _parse(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _without_magics(source: str) -> str:
    """The source with Jupyter's magics as the calls that they stand for; unchanged if it has none."""
    if _parse(source):
        return source
    try:
        from IPython.core.inputtransformer2 import TransformerManager
    except ImportError:
        return source
    magic = CELL_MAGIC.match(source)
    if magic and magic[1] not in TRANSPARENT:
        return source
    try:
        return TransformerManager().transform_cell(CELL_MAGIC.sub("", source, count=1) if magic else source)
    except (SyntaxError, ValueError):
        return source


def _comments(source: str) -> dict[int, str]:
    """Comments by line number, without a leading `help:`."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = ((token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT)
    try:
        return {line: re.sub(r"^#\s*(help:)?\s*", "", text) for line, text in comments}
    except (tokenize.TokenError, SyntaxError):
        return {}
