"""What a cell of a notebook does, read from its source and never run: what it binds, and what it needs of other cells.

A notebook's cells share their names. An answer that uses the imports, helpers or values of other cells is right there,
so these statements are collected for it, and only these: nothing else of the notebook runs.
"""

import ast
import builtins
import re
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

_LINE_MAGIC = re.compile(r"^(\s*)(?:[%!].*|\?+\S.*|[^\s#'\"].*[^?\s]\?{1,2})$")
_ASSIGNED_MAGIC = re.compile(r"^(\s*[\w., ]+=\s*)[%!].*$")
_PYTHON_CELLS = ("time", "timeit", "capture", "prun")  # cell magics below which the cell is Python all the same
_BINDING = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign,
            ast.If, ast.Try)  # fmt: skip


@dataclass(frozen=True)
class CodeCell:
    """A code cell: the exercise that its metadata name, its Python without magics, and the magics that were left out.

    Where the source is no Python even so, it is kept as it is.
    """

    exercise: str
    source: str
    magics: tuple[str, ...] = ()

    @cached_property
    def statements(self) -> tuple[ast.stmt, ...]:
        """The statements of the cell; none if it is not Python."""
        try:
            return tuple(ast.parse(self.source).body)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ()

    @property
    def is_python(self) -> bool:
        """Whether the source can be read."""
        return bool(self.statements) or not self.source.strip()


def code_cell(code: str, exercise: str = "") -> CodeCell:
    """The cell of this code, with its magics left out if it is no Python with them."""
    whole = CodeCell(exercise, code)
    if whole.is_python:
        return whole
    kept, magics = [], []
    for number, line in enumerate(code.splitlines()):
        if line.startswith("%%"):
            if number or line[2:].split(" ")[0] not in _PYTHON_CELLS:
                return whole
            kept.append("")
        elif found := _ASSIGNED_MAGIC.match(line):
            kept.append(f"{found[1]}None")
        else:
            kept.append(_LINE_MAGIC.sub(r"\1pass", line))
        if kept[-1] != line:
            magics.append(line.strip())
    bare = CodeCell(exercise, "\n".join(kept), tuple(magics))
    return bare if bare.is_python else whole


def bound_by(statement: ast.stmt) -> set[str]:
    """The names that a statement of a cell binds, if it is of a kind that may be run for an answer."""
    if not isinstance(statement, _BINDING):
        return set()
    if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
        return {"*"}
    table = symtable.symtable(ast.unparse(statement), "cell", "exec")
    return {symbol.get_name() for symbol in table.get_symbols() if _is_bound(symbol)}


def needed_by(statements: Sequence[ast.stmt]) -> set[str]:
    """The names that statements use and neither bind nor find in Python."""
    table = symtable.symtable(ast.unparse(ast.Module([*statements], [])), "cell", "exec")
    bound = {symbol.get_name() for symbol in table.get_symbols() if _is_bound(symbol)}
    return set(_used(table)) - bound - set(dir(builtins))


def borrowed(cells: Sequence[CodeCell], place: int) -> str:
    """The statements of other cells that the cell at `place` needs, as one source, in the notebook's order.

    Of several that bind a name, the last above the cell counts, or else the first below it; and if none binds it, all
    imports of everything from a module.
    """
    known = [(index, statement) for index, cell in enumerate(cells) for statement in cell.statements if index != place]
    binding = [(index, statement, bound_by(statement)) for index, statement in known]
    chosen: set[int] = set()
    wanted, seen = needed_by(cells[place].statements), set[str]()
    while wanted:
        name = wanted.pop()
        seen.add(name)
        above = [row for row, (index, _, bound) in enumerate(binding) if index < place and name in bound]
        below = [row for row, (index, _, bound) in enumerate(binding) if index > place and name in bound]
        everything = [row for row, (_, _, bound) in enumerate(binding) if "*" in bound]
        found = above[-1:] or below[:1] or everything
        chosen.update(found)
        wanted |= needed_by([binding[row][1] for row in found]) - seen
    return "\n".join(ast.unparse(binding[row][1]) for row in sorted(chosen))


def _is_bound(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()


def _used(table: symtable.SymbolTable) -> Iterator[str]:
    """The names that a scope and those within it look up in the notebook."""
    top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (top or symbol.is_global()):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _used(inner)
