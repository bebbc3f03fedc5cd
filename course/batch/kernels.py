"""Which kernel runs a notebook: the one that was asked for, its own, or that of this Python."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from transferkit.errors import UsageError

NATIVE = "python3"  # Jupyter's name for the kernel of the Python that asks
PYTHON = ("python", "ipython", "")


@dataclass(frozen=True)
class Kernel:
    """A kernel that is installed here, its language, and a sentence if it is not the notebook's own."""

    name: str
    language: str
    note: str = ""


def choose_kernel(metadata: Mapping[str, Any], wanted: str = "") -> Kernel:
    """The kernel for a notebook with these metadata; `wanted`, if given, comes first.

    A Python notebook whose own kernel is not here, or which names none, gets this Python's. Raises UsageError when the
    kernel that it needs is not installed.
    """
    own, info = (_section(metadata, name) for name in ("kernelspec", "language_info"))
    name, language = own.get("name") or "", str(info.get("name") or own.get("language") or "")
    here = installed()
    missing = f"its own kernel, '{name}', is not installed here" if name else "it names no kernel"
    if wanted:
        refuse_unknown(wanted, here)
        return Kernel(
            wanted, here[wanted], "" if wanted == name else f"run with the kernel '{wanted}', as --kernel says"
        )
    if name in here:
        return Kernel(name, language or here[name])
    if language.lower() in PYTHON and NATIVE in here:
        return Kernel(NATIVE, "python", f"run with this Python: {missing}")
    raise UsageError(f"{missing} ({_listed(here)}): install one for {language or 'Python'}, or name one with --kernel.")


def installed() -> dict[str, str]:
    """The language of each kernel that is installed here and whose program exists, by the kernel's name."""
    from jupyter_client.kernelspec import KernelSpecManager

    specs = KernelSpecManager().get_all_specs()
    found = {name: entry["spec"] for name, entry in specs.items()}
    return {name: spec["language"] for name, spec in found.items() if shutil.which(spec["argv"][0])}


def refuse_unknown(wanted: str, here: Mapping[str, str]) -> None:
    """Raise UsageError if a kernel of this name is not here."""
    if wanted not in here:
        raise UsageError(f"--kernel {wanted} is not installed here ({_listed(here)}): name one that is.")


def _listed(here: Mapping[str, str]) -> str:
    return f"there {'is' if len(here) == 1 else 'are'} {', '.join(sorted(here)) or 'none'}"


def _section(metadata: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = metadata.get(name)
    return found if isinstance(found, Mapping) else {}
