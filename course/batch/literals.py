"""Values of parameters: what a cell assigns, which values a batch can pass on, and how one is written elsewhere."""

import ast
import json
import math
import operator
import shlex
from collections.abc import Callable, Sequence
from typing import Any

OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
}
LARGEST, LARGEST_POWER = 1e12, 64  # so that no cell makes us compute for long
LARGEST_NUMBER = 1e300  # that is surely also a float
NOT_A_VALUE = (ValueError, TypeError, KeyError, ArithmeticError, SyntaxError, MemoryError, RecursionError)
TRUTHS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


class Computed(str):
    """The source of a value that is known only when the notebook runs; it shows as it is written."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def evaluate(expression: ast.expr) -> Any:
    """The value of a literal, or of arithmetic on numbers; of anything else its source, as Computed."""
    try:
        return _value(expression)
    except NOT_A_VALUE:
        return Computed(ast.unparse(expression))


def read(text: str) -> Any:
    """A Python literal; the text itself if it is none."""
    try:
        return ast.literal_eval(text)
    except NOT_A_VALUE:
        return text


def travels(value: Any) -> bool:
    """Whether a value reaches a notebook unchanged: it must also fit into JSON, save for the difference of tuples."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, list | tuple):
        return all(map(travels, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and travels(one) for key, one in value.items())
    return value is None or isinstance(value, str | int)


def shaped(value: Any, default: Any) -> Any:
    """The value with tuples where the default has them: YAML knows only lists."""
    if not isinstance(value, list | tuple) or not isinstance(default, list | tuple):
        return value
    model = default[0] if default else None
    inner = [shaped(one, model) for one in value]
    return tuple(inner) if isinstance(value, tuple) or isinstance(default, tuple) else inner


def like(default: Any, value: Any) -> Any:
    """What was probably meant by a value of another type than the default; None if nothing comes to mind."""
    kind, meant = type(default), read(value) if isinstance(value, str) else value
    if kind is str and isinstance(value, str | int | float):
        return str(value)
    if kind is bool:
        return TRUTHS.get(str(value).lower())
    if kind in (list, tuple) and not isinstance(meant, dict | set):
        return kind(meant if isinstance(meant, list | tuple) else [meant])
    if kind is dict and isinstance(meant, dict):
        return meant
    if kind in (int, float) and isinstance(meant, int | float) and abs(meant) < LARGEST_NUMBER:
        return kind(meant) if kind is float or meant == int(meant) else None
    return None


def papermill_remedy(name: str, default: Any, value: Any) -> str:
    """How to give papermill a value of the default's type; empty if there is no telling what was meant."""
    meant = like(default, value)
    if meant is None:
        return ""
    if isinstance(meant, list | tuple | dict):
        return f": write {as_yaml(meant)} (-y {shlex.quote(f'{name}: {as_yaml(meant)}')})"
    option = "-r" if isinstance(meant, str) else "-p"
    return f": write {meant!r} ({option} {name} {shlex.quote(str(meant))})"


def option_remedy(name: str, default: Any, value: Any) -> str:
    """The same for the option -p of a batch."""
    meant = like(default, value)
    return "" if meant is None else f": write -p {name} {shlex.quote(str(meant))}"


def grid_remedy(name: str, default: Any, value: Any, alternatives: Sequence[Any] = ()) -> str:
    """The same for a grid, in which this name has these alternatives."""
    if isinstance(default, list | tuple):
        meant = like(default, value if len(alternatives) < 2 or isinstance(value, str) else list(alternatives))
        if meant is None:
            return ""
        text = as_yaml(meant)
        return f": write {name}: [{text}], because in a grid a list holds alternatives (or - {{{name}: {text}}})"
    meant = like(default, value)
    if meant is None:
        return ""
    why = ": in YAML, 1e-3 is text, and 1.0e-3 a number" if isinstance(meant, float) else ""
    return f"{why}: write {name}: {as_yaml(meant)}"


def as_yaml(value: Any) -> str:
    """The value in YAML, in one line."""
    import yaml

    plain: Any = json.loads(json.dumps(value, default=str))  # YAML has no tuples
    return str(yaml.safe_dump(plain, default_flow_style=True, width=math.inf)).removesuffix("\n...\n").strip()


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.List | ast.Tuple):
        inner = [_value(one) for one in node.elts]
        return tuple(inner) if isinstance(node, ast.Tuple) else inner
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if not isinstance(node, ast.BinOp):
        return ast.literal_eval(node)
    left, right = _value(node.left), _value(node.right)
    most = LARGEST_POWER if isinstance(node.op, ast.Pow | ast.LShift) else LARGEST
    if {type(left), type(right)} <= {int, float} and abs(left) <= LARGEST and abs(right) <= most:
        return OPERATORS[type(node.op)](left, right)
    return ast.literal_eval(node)  # as in 1 + 2j
