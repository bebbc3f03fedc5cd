"""One notebook with one set of parameters, and its folder, named by everything that decides the result."""

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.batch import parameters
from course.batch.grid import KNOWN, Grid
from transferkit.errors import UsageError
from transferkit.hardware import installed_code

RUNS = "runs"  # below the output folder; holds one folder per task
NAME_LENGTH = 80


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
    installed code.
    """

    notebook: str
    parameters: Mapping[str, Any]
    checksum: str
    code: str
    out: str
    work: str
    limits: TaskLimits = TaskLimits()

    @property
    def name(self) -> str:
        """A readable name and a digest of notebook, parameters and installed code."""
        identity = [Path(self.notebook).parent.name, self.checksum, self.parameters, self.code]
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
        return f"{Path(self.notebook).stem} {self.settings}".strip()

    @property
    def settings(self) -> str:
        """The parameters in one line."""
        return " ".join(f"{name}={value}" for name, value in self.parameters.items())


@dataclass(frozen=True)
class Place:
    """Where a batch writes, and the work folder that all its notebooks share."""

    out: Path
    work: Path


def find_notebooks(given: Sequence[Path]) -> tuple[Path, ...]:
    """The given notebooks as absolute paths; a folder stands for the notebooks directly in it.

    Raises UsageError for a path that does not exist, and when there is no notebook at all.
    """
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            found += sorted(item for item in path.glob("*.ipynb") if item.is_file())
        elif path.is_file():
            found.append(path)
        else:
            raise UsageError(f"there is no notebook {path}: give notebooks, or folders of notebooks.")
    if not found:
        raise UsageError(f"no notebook lies in {', '.join(map(str, given))}: give notebooks, or folders of notebooks.")
    return tuple(dict.fromkeys(path.absolute() for path in found))


def plan_tasks(
    notebooks: Sequence[Path], grid: Grid, given: Mapping[str, str], place: Place, limits: TaskLimits
) -> tuple[Task, ...]:
    """One task for every notebook and parameter set; `given`, texts from the command line, wins over the grid.

    Runs and writes nothing. Raises UsageError when a notebook refuses a parameter (see `parameters.check`). A broken
    notebook is planned without a check, and fails on its own later.
    """
    code = installed_code()
    tasks: dict[str, Task] = {}
    contents = {path: path.read_bytes() for path in notebooks}
    _refuse_known_to_none([_declared(content) for content in contents.values()], grid)
    for path, content in contents.items():
        for chosen in _checked(path, content, grid, given):
            checksum = hashlib.sha256(content).hexdigest()
            where = (str(place.out.absolute()), str(place.work.absolute()))
            task = Task(str(path), chosen, checksum, code, *where, limits)
            if other := tasks.get(task.name):
                raise UsageError(f"{path} and {other.notebook} with {task.settings or 'no parameters'} are the same.")
            tasks[task.name] = task
    return tuple(tasks.values())


def _checked(path: Path, content: bytes, grid: Grid, given: Mapping[str, str]) -> list[dict[str, Any]]:
    code = _code(content)
    if code is None:
        return [one | dict(given) for one in grid.sets(path.stem)]
    known = parameters.declared(code)
    typed = {name: parameters.parse(known[name], text) if name in known else text for name, text in given.items()}
    chosen = [one | typed for one in grid.sets(path.stem, known)]
    for one in chosen:
        parameters.check(code, one, os.path.relpath(path))
        _refuse_unwritable(one)
    return chosen


def _code(content: bytes) -> parameters.Code | None:
    """The code of a notebook; None for a broken one."""
    try:
        return parameters.read_code(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError):
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


def _refuse_unwritable(chosen: Mapping[str, Any]) -> None:
    for name, value in chosen.items():
        try:
            json.dumps(value)
        except (TypeError, ValueError):
            raise UsageError(
                f"'{name}' cannot be {value!r}: give text, numbers, True or False, lists or mappings."
            ) from None
