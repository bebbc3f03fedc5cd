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
        return [one for number, one in enumerate(found) if one not in found[:number]]


def read_grid(path: Path, notebooks: Iterable[str]) -> Grid:
    """The grid of a YAML file for notebooks of these names.

    Raises UsageError when the file cannot be read, is not YAML, or has none of the three forms.
    """
    try:
        import yaml
    except ImportError:
        raise UsageError("--grid needs PyYAML: install transferkit with its extra 'lessons'.") from None
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as problem:
        raise UsageError(f"{path} could not be read ({problem.strerror}): give a YAML file as --grid.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise UsageError(f"{path} is not YAML: {problem}") from None
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
    return tuple(found)
