"""Sets of parameters: the product of alternatives, or an explicit list, from a YAML file.

There are three forms:

    split: [random0, natural]        # every combination: a list holds alternatives
    seed: [0, 1]

    - {split: random0, seed: 0}      # just these
    - {split: natural, seed: 3}

    all: {preset: quick}                # one of the forms above, for all notebooks;
    known: {split: [random0, random1]}  # the same, for the notebooks that have such a parameter;
    04_chop_and_transfer: {n: [2, 6]}   # and more for the notebook of that name
"""

import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transferkit.errors import UsageError

EVERY, KNOWN = "all", "known"
Set = dict[str, Any]


@dataclass(frozen=True)
class Grid:
    """Sets of parameters: `every` for all notebooks, `special` by the notebook's name (its file name, no suffix).

    `known` holds sets for the notebooks that have such a parameter.
    """

    every: tuple[Set, ...] = ({},)
    special: Mapping[str, tuple[Set, ...]] = field(default_factory=dict)
    known: tuple[Set, ...] = ({},)

    def sets(self, notebook: str, parameters: Collection[str] = ()) -> list[Set]:
        """The sets of a notebook that has these `parameters`, without repeats; its own values win."""
        fitting = [{name: value for name, value in one.items() if name in parameters} for one in self.known]
        own = self.special.get(notebook, ({},))
        found = [common | shared | special for common in self.every for shared in fitting for special in own]
        return list({_identity(one): one for one in found}.values())


def read_grid(path: Path, notebooks: Iterable[str]) -> Grid:
    """The grid of a YAML file for notebooks of these names.

    Raises UsageError when the file cannot be read, is not YAML, has none of the three forms, or says something twice.
    """
    content = _load(path)
    sections = {EVERY, KNOWN, *notebooks}
    if isinstance(content, dict) and sections & set(content):
        if strange := set(content) - sections:
            raise UsageError(
                f"{path} has a section '{strange.pop()}': name it '{EVERY}', '{KNOWN}', or after a "
                f"notebook of this batch ({', '.join(sorted(sections - {EVERY, KNOWN}))})."
            )
        every, known = (_sets(content.pop(name, {}), path) for name in (EVERY, KNOWN))
        return Grid(every, {name: _sets(section, path) for name, section in content.items()}, known)
    return Grid(_sets(content, path))


def _load(path: Path) -> Any:
    try:
        import yaml
    except ImportError:
        raise UsageError("--grid needs PyYAML: install transferkit with its extra 'lessons'.") from None
    try:
        text = path.read_text(encoding="utf-8")
        twice = _twin(yaml.compose(text, Loader=yaml.SafeLoader))
        content = yaml.safe_load(text)
    except OSError as problem:
        raise UsageError(f"{path} could not be read ({problem.strerror}): give a YAML file as --grid.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise UsageError(f"{path} is not YAML: {problem}") from None
    except (ValueError, RecursionError) as problem:  # 2024-99-99, or a list that holds itself
        raise UsageError(f"{path} holds what YAML cannot read ({problem}): write it in quotes.") from None
    if twice is not None:
        raise UsageError(
            f"{path} has '{twice}' twice in one mapping, and only the last would count: write it once, with its values "
            "in a list."
        )
    return content


def _twin(node: Any) -> str | None:
    """A key that a mapping has twice; YAML keeps the last one and says nothing."""
    if node is None or isinstance(node.value, str):
        return None
    if node.id == "mapping":
        counts = Counter(key.value for key, _ in node.value if isinstance(key.value, str))
        if twice := next((key for key, count in counts.items() if count > 1), None):
            return str(twice)
    inner = (one for pair in node.value for one in (pair if isinstance(pair, tuple) else (pair,)))
    return next((twice for one in inner if (twice := _twin(one)) is not None), None)


def _sets(section: Any, path: Path) -> tuple[Set, ...]:
    if isinstance(section, list) and section and all(isinstance(one, dict) for one in section):
        found = section
    elif isinstance(section, dict):
        alternatives = [value if isinstance(value, list) else [value] for value in section.values()]
        found = [dict(zip(section, values, strict=True)) for values in itertools.product(*alternatives)]
    else:
        raise UsageError(
            f"{path} holds neither a mapping of parameters to values nor a list of such mappings: "
            "write 'split: [random0, natural]', or '- {split: random0, seed: 0}' for each set."
        )
    if not found or not all(isinstance(name, str) for one in found for name in one):
        raise UsageError(f"{path} gives no set of parameters, or a name that is not text: nothing would run.")
    twice = next((one for number, one in enumerate(found) if _identity(one) in map(_identity, found[:number])), None)
    if twice is not None:
        settings = ", ".join(f"{name}: {value!r}" for name, value in twice.items())
        raise UsageError(f"{path} gives the set {{{settings}}} twice, and both would write the same output: drop one.")
    return tuple(found)


def _identity(one: Set) -> str:
    """A text that two sets share exactly when they are the same; 1 and True are not."""
    return repr(sorted((name, repr(value)) for name, value in one.items()))
