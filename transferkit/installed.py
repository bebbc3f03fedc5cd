"""Which code is installed: what came of a task under other code is another result."""

import hashlib
import importlib.util
from pathlib import Path

PACKAGES = ("transferkit", "data_prep")


def installed_code() -> str:
    """SHA-256 of the source files of the installed library: the same notebook under other code is another task."""
    total = hashlib.sha256()
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            for path in sorted(Path(folder).rglob("*.py")):
                total.update(f"{package}/{path.relative_to(folder)}".encode() + b"\0" + path.read_bytes())
    return total.hexdigest()
