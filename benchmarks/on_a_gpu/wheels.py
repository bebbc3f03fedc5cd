"""Packages that the steps import and that a machine may lack: collected as wheels here, installed there."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

# What the steps import beyond torch and NumPy, and the wheel that holds it. Others would take more megabytes than may
# travel, and a step can do without them: where scikit-image or scikit-learn, whose wheels hold the photographs, are
# missing, shapeworld is drawn; without Numba, the comparison with the CPU fails; without torchvision, the plain loop.
NEEDED = {
    "msgspec": "msgspec", "safetensors": "safetensors", "psutil": "psutil", "lazy_loader": "lazy-loader",
    "packaging": "packaging", "scipy": "scipy", "pandas": "pandas", "dateutil": "python-dateutil", "six": "six",
    "PIL": "pillow", "rich": "rich", "markdown_it": "markdown-it-py", "mdurl": "mdurl", "pygments": "pygments",
}  # fmt: skip
RECORDED = {"torch", "torchvision", "numpy", "scikit-image", "scikit-learn", *NEEDED.values()}
MOST_BYTES = 60 * 10**6
PYTHON = "3.12"
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_27_x86_64", "manylinux_2_28_x86_64")


def folder(root: Path) -> Path:
    """Where the wheels of a checkout are; git ignores it."""
    return root / "benchmarks" / "wheels"


def collect(names: Sequence[str], root: Path) -> None:
    """Download the wheels of these packages, or of all that are needed, in the versions of constraints.txt.

    Raises SystemExit when one is not needed, when pip finds none, or when all together exceed MOST_BYTES.
    """
    if unknown := set(names) - set(NEEDED.values()):
        raise SystemExit(f"{', '.join(sorted(unknown))}: no step needs this; choose from {', '.join(NEEDED.values())}.")
    into = folder(root)
    options = ["--no-deps", "--only-binary=:all:", "--python-version", PYTHON, "--constraint", "constraints.txt"]
    options += [word for platform in PLATFORMS for word in ("--platform", platform)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *options, "--dest", str(into)]
    if subprocess.run([*command, *(names or NEEDED.values())], cwd=root).returncode:
        raise SystemExit("pip could not download every wheel: its own message is above.")
    total = sum(wheel.stat().st_size for wheel in into.glob("*.whl"))
    if total > MOST_BYTES:
        raise SystemExit(
            f"{into} holds {total / 1e6:.0f} MB, {MOST_BYTES / 1e6:.0f} MB may travel: name fewer packages."
        )
    sys.stdout.write(f"{into} holds {total / 1e6:.0f} MB of wheels for Python {PYTHON}\n")


def provide(needed: Mapping[str, str], wheels: Path, target: Path) -> dict[str, object]:
    """Install into `target` what cannot be imported; return what was missing, why it still is, and all versions."""
    missing = [name for module, name in needed.items() if find_spec(module) is None]
    problems = {name: problem for name in missing if (problem := _install(name, wheels, target))}
    found = {it.metadata["Name"].lower(): it.version for it in distributions(path=[*sys.path, str(target)])}
    versions = {name: found[name] for name in sorted(RECORDED & set(found))}
    return {"missing": missing, "not_installed": problems, "versions": versions}


def _install(name: str, wheels: Path, target: Path) -> str:
    """Install one package; an empty text, or why that failed."""
    if not any(wheels.glob(f"{name.replace('-', '_')}-*.whl")):
        return f"no wheel of {name} is in {wheels}: python -m benchmarks.on_a_gpu --collect {name}"
    options = ["--quiet", "--no-index", "--no-deps", "--find-links", str(wheels), "--target", str(target)]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", *options, name]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stderr.strip().rpartition("\n")[2] if done.returncode else ""
