"""One notebook with one set of parameters, and its folder, named by everything that decides the result."""

import ast
import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from course.batch import literals, parameters
from course.batch.grid import KNOWN, Grid
from transferkit.errors import UsageError
from transferkit.hardware import installed_code

RUNS = "runs"  # below the output folder; holds one folder per task
NAME_LENGTH = 80
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")  # a path of s3://bucket/x has lost a slash


@dataclass(frozen=True)
class TaskLimits:
    """What a notebook may use: seconds (None: no limit), CPU cores (None: all), and notebooks at once on one GPU."""

    seconds: float | None = None
    cores: int | None = None
    per_gpu: int = 1


@dataclass(frozen=True)
class Task:
    """What a worker needs to know: plain values only, so that it may be on another machine with the same file system.

    `notebook`, `out` and `work` are absolute paths; `checksum` is the SHA-256 of the notebook, `code` that of the
    installed code. `kernel` is the kernel that was asked for, if any. `apart` is empty unless the batch holds an equal
    notebook with the same name in a folder of the same name.
    """

    notebook: str
    parameters: Mapping[str, Any]
    checksum: str
    code: str
    out: str
    work: str
    limits: TaskLimits = TaskLimits()
    kernel: str = ""
    apart: str = ""

    @property
    def name(self) -> str:
        """A readable name and a digest of notebook, parameters and installed code."""
        values = {name: repr(value) for name, value in self.parameters.items()}
        place = [Path(self.notebook).parent.name, self.apart]
        identity = [place, self.checksum, values, self.code, self.kernel]
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]
        words = [Path(self.notebook).stem, *(f"{name}={value}" for name, value in self.parameters.items())]
        return f"{re.sub(r'[^A-Za-z0-9._=+-]+', '_', '-'.join(words))[:NAME_LENGTH]}-{digest}"

    @property
    def folder(self) -> Path:
        """The folder of the executed notebook, its HTML page and the record."""
        return Path(self.out) / RUNS / self.name

    @property
    def title(self) -> str:
        """The notebook's name and its parameters, for people."""
        return f"{shown(Path(self.notebook).stem)} {self.settings}".strip()

    @property
    def settings(self) -> str:
        """The parameters in one line."""
        return shown(" ".join(f"{name}={value}" for name, value in self.parameters.items()))

    def encode(self) -> bytes:
        """The task as one line of JSON, with its parameters as Python literals: JSON has no tuples."""
        plain = msgspec.to_builtins(replace(self, parameters={"literal": repr(dict(self.parameters))}))
        return json.dumps(plain).encode()  # unlike msgspec's, it takes names that are not UTF-8

    @classmethod
    def decode(cls, line: bytes) -> "Task":
        """The task of such a line."""
        task = msgspec.convert(json.loads(line), cls)
        return replace(task, parameters=ast.literal_eval(task.parameters["literal"]))


@dataclass(frozen=True)
class Place:
    """Where a batch writes, the work folder that all its notebooks share, and the kernel that was asked for, if any."""

    out: Path
    work: Path
    kernel: str = ""


def shown(name: str) -> str:
    """A file's name or a value in one line, with escapes for control characters and for bytes that are no text."""
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in name)


def find_notebooks(given: Sequence[Path]) -> tuple[Path, ...]:
    """The given notebooks as absolute paths; a folder stands for the notebooks directly in it.

    In a folder, whatever is called *.ipynb counts, in capitals too: what cannot be read has its row as well. Raises
    UsageError for a path that does not exist, and when there is no notebook at all.
    """
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            found += sorted(item for item in _listing(path) if _is_notebook(item))
        elif path.is_file():
            found.append(path)
        else:
            raise UsageError(f"there is no notebook {path}: give notebooks, or folders of notebooks.")
    if not found:
        raise UsageError(f"no notebook lies in {', '.join(map(str, given))}: give notebooks, or folders of notebooks.")
    return tuple(dict.fromkeys(path.absolute() for path in found))


def passed_over(given: Sequence[Path]) -> list[Path]:
    """The folders in the given ones that hold notebooks; a batch does not look into them."""
    inner = (item for path in given if path.is_dir() for item in sorted(_listing(path)))
    folders = (item for item in inner if item.is_dir() and not item.name.startswith(".") and not _is_notebook(item))
    return [folder for folder in folders if any(map(_is_notebook, _listing(folder)))]


def read_notebook(path: Path) -> bytes:
    """The content of a notebook. Raises OSError when it cannot be read, or is no file."""
    if path.exists() and not path.is_file():
        raise OSError(None, "it is a folder, not a file" if path.is_dir() else "it is no regular file")
    return path.read_bytes()


def refuse_address(option: str, path: Path) -> None:
    """Refuse the address of a remote folder, which would become a local folder of that name: raises UsageError."""
    given = os.path.relpath(path)
    if ADDRESS.match(given):
        raise UsageError(
            f"{option} {given.replace(':/', '://', 1)} is an address, and a batch can only use folders of this "
            "machine: give one, and copy it there afterwards."
        )


def plan_tasks(
    notebooks: Sequence[Path], grid: Grid, given: Mapping[str, str], place: Place, limits: TaskLimits
) -> tuple[Task, ...]:
    """One task for every notebook and parameter set; `given`, texts from the command line, wins over the grid.

    Runs and writes nothing. Raises UsageError when a notebook refuses a parameter (see `parameters.check`), when
    something in the grid has no effect, and when a place is remote. A notebook that is broken or cannot be read is
    planned without a check, and fails on its own later.
    """
    for option, folder in (("--out", place.out), ("--work", place.work)):
        refuse_address(option, folder)
    where = (installed_code(), str(place.out.absolute()), str(place.work.absolute()))
    contents = {path: _content(path) for path in notebooks}
    declared = [_declared(content) for content in contents.values()]
    _refuse_known_to_none(declared, grid)
    tasks: dict[str, Task] = {}
    for path, content in contents.items():
        for chosen in _checked(path, content, grid, given):
            checksum = hashlib.sha256(content).hexdigest()
            task = Task(str(path), chosen, checksum, *where, limits, place.kernel, _apart(path, contents))
            if task.name in tasks:
                raise UsageError(
                    f"two sets of the grid become the same for {shown(path.name)} ({task.settings or 'no parameters'}) "
                    "and would write the same output, since -p overrides the grid: take the name out of -p or the grid."
                )
            tasks[task.name] = task
    known = () if None in declared else grid.known
    _refuse_overridden(tuple(tasks.values()), (*grid.every, *known), given)
    return tuple(tasks.values())


def _listing(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as problem:
        raise UsageError(f"{folder} cannot be read ({problem.strerror}): make it readable, or leave it out.") from None


def _is_notebook(path: Path) -> bool:
    return path.suffix.lower() == ".ipynb"


def _escaped(letter: str) -> str:
    byte = ord(letter) - 0xDC00  # as Python keeps a byte of a file's name that is no text
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else letter.encode("unicode_escape").decode()


def _content(path: Path) -> bytes:
    """The content of a notebook; nothing if it cannot be read, which its row says later."""
    try:
        return read_notebook(path)
    except OSError:
        return b""


def _apart(path: Path, contents: Mapping[Path, bytes]) -> str:
    """The whole path, if another notebook differs in nothing else that a name is made of."""
    twins = Counter((other.parent.name, other.name, content) for other, content in contents.items())
    return str(path) if twins[path.parent.name, path.name, contents[path]] > 1 else ""


def _checked(path: Path, content: bytes, grid: Grid, given: Mapping[str, str]) -> list[dict[str, Any]]:
    code = _code(content)
    if code is None:
        return [one | dict(given) for one in grid.sets(path.stem)]
    known = parameters.declared(code)
    typed = {name: parameters.parse(known[name], text) if name in known else text for name, text in given.items()}
    chosen = [_shaped(one | typed, known) for one in grid.sets(path.stem, known)]
    for one in chosen:
        parameters.check(code, one, shown(os.path.relpath(path)), partial(_remedy, typed, chosen))
        _refuse_unwritable(one)
    return chosen


def _shaped(one: Mapping[str, Any], known: Mapping[str, parameters.Parameter]) -> dict[str, Any]:
    defaults = {name: parameter.default for name, parameter in known.items()}
    return {name: literals.shaped(value, defaults.get(name)) for name, value in one.items()}


def _remedy(typed: Mapping[str, Any], chosen: Sequence[Mapping[str, Any]], name: str, default: Any, value: Any) -> str:
    if name in typed:
        return literals.option_remedy(name, default, value)
    alternatives = {repr(one[name]): one[name] for one in chosen if name in one}
    return literals.grid_remedy(name, default, value, list(alternatives.values()))


def _code(content: bytes) -> parameters.Code | None:
    """The code of a notebook; None for a broken one."""
    try:
        return parameters.read_code(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _declared(content: bytes) -> set[str] | None:
    """The names of a notebook's parameters; None for a broken one."""
    code = _code(content)
    return None if code is None else set(parameters.declared(code))


def _refuse_known_to_none(declared: Sequence[set[str] | None], grid: Grid) -> None:
    """Refuse a name that no notebook knows, unless a broken notebook may have known it."""
    if None in declared:
        return
    names = set().union(*(known for known in declared if known))
    for name in (name for one in grid.known for name in one if name not in names):
        raise UsageError(
            f"no notebook of this batch has a parameter '{name}', which stands under '{KNOWN}' in the grid; together "
            f"they have {', '.join(sorted(names)) or 'none'}."
        )


def _refuse_overridden(tasks: Sequence[Task], sets: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> None:
    """Refuse a value of the grid that reaches no notebook, because each has its own for that name."""
    reached = {(name, _plain(value)) for task in tasks for name, value in task.parameters.items()}
    for name, value in (pair for one in sets for pair in one.items()):
        if name not in given and (name, _plain(value)) not in reached:
            raise UsageError(
                f"'{name}: {value}' of the grid reaches no notebook, since each has values of its own for '{name}': "
                "take it out."
            )


def _plain(value: Any) -> str:
    return json.dumps(value, default=repr, skipkeys=True)  # a tuple is written as YAML's list


def _refuse_unwritable(chosen: Mapping[str, Any]) -> None:
    for name, value in chosen.items():
        if not literals.travels(value):
            raise UsageError(
                f"'{name}' cannot be {value!r}: a batch passes on text, finite numbers, True, False, None, lists, "
                "tuples and mappings from text; give one of these, and make of it what you need in a cell below."
            )
