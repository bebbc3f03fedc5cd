"""Sets of parameters: the product of alternatives, or an explicit list, from a YAML file.

Three forms, for all notebooks or for each:

    split: [random0, natural]        # every combination: a list holds alternatives
    seed: [0, 1]

    - {split: random0, seed: 0}      # just these
    - {split: natural, seed: 3}

    all: {split: [random0, natural]} # one of the forms above for all notebooks,
    01_first_layer: {seed: [0, 1]}   # and more for the notebook of that name
"""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transferkit.errors import UsageError

EVERY = "all"
Set = dict[str, Any]


@dataclass(frozen=True)
class Grid:
    """Sets of parameters for every notebook, and more for notebooks by name (the file's name without its ending)."""

    every: tuple[Set, ...] = ({},)
    special: Mapping[str, tuple[Set, ...]] = field(default_factory=dict)

    def sets(self, notebook: str) -> list[Set]:
        """The parameter sets of one notebook; its own win over those for all."""
        return [common | own for common in self.every for own in self.special.get(notebook, ({},))]


def read_grid(path: Path, notebooks: Iterable[str]) -> Grid:
    """The grid of a YAML file for notebooks of these names.

    Raises UsageError when the file is not there, is no YAML, or has none of the three forms.
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
        raise UsageError(f"{path} is no YAML: {problem}") from None
    sections = {EVERY, *notebooks}
    if isinstance(content, dict) and sections & set(content):
        if strange := set(content) - sections:
            raise UsageError(
                f"{path} has a section '{strange.pop()}': beside '{EVERY}' a section is named after a notebook of this "
                f"batch ({', '.join(sorted(sections - {EVERY}))})."
            )
        every = _sets(content.pop(EVERY, {}), path)
        return Grid(every, {name: _sets(section, path) for name, section in content.items()})
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
        raise UsageError(f"{path} gives no set of parameters, or one whose name is no text: nothing would be run.")
    return tuple(found)
