"""The repository keeps its promises: the same dependencies everywhere, floors, and modules of readable length."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def name_of(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match
    return match[0].lower().replace("_", "-")


def test_environment_yml_names_the_dependencies_of_pyproject() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    listed = environment["dependencies"][-1]["pip"]
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["lessons"]
    assert listed == ["--constraint constraints.txt", *wanted, "--editable ."]
    assert f"python {PROJECT['requires-python']}" in environment["dependencies"]


def test_the_packages_that_were_asked_for_are_there() -> None:
    named = {name_of(line) for line in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["lessons"]}
    assert named >= {"torch", "torchvision", "jupyterlab", "ipywidgets", "matplotlib", "seaborn", "papermill"}


def test_constraints_hold_an_exact_version_of_every_dependency() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[^;\s]+", line) for line in lines)
    constrained = {name_of(line) for line in lines}
    extras = [line for group in PROJECT["optional-dependencies"].values() for line in group]
    assert {name_of(line) for line in PROJECT["dependencies"] + extras} <= constrained


def test_imports_go_down_the_floors_only() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize(
    "absent",
    [
        ["papermill", "IPython", "ipywidgets", "distributed", "dask", "statsmodels", "seaborn", "timm"]
        + ["nbclient", "nbconvert", "nbformat", "jinja2", "yaml"]
    ],
)
def test_the_library_imports_without_what_gpu_images_lack(absent: list[str]) -> None:
    hide = f"import sys; sys.modules.update(dict.fromkeys({absent}))"
    modules = [f"transferkit.{path.stem}" for path in (ROOT / "transferkit").glob("*.py")]
    modules += [f"course.batch.{path.stem}" for path in (ROOT / "course" / "batch").glob("[!_]*.py")]
    modules.remove("course.batch.engine")  # papermill's plug-in, which papermill alone imports
    program = f"{hide}\nimport {', '.join(modules)}, transferkit.figures"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_the_library_is_compact() -> None:
    lines = {path: len(path.read_text().splitlines()) for path in (ROOT / "transferkit").rglob("*.py")}
    assert len(lines) <= 70
    assert sum(lines.values()) <= 8000


def test_every_module_can_be_held_in_mind() -> None:
    for package in ("transferkit", "course", "data_prep", "benchmarks"):
        for path in (ROOT / package).rglob("*.py"):
            assert len(path.read_text().splitlines()) <= 400, path


def test_the_reading_path_is_an_afternoons() -> None:
    text = (ROOT / "transferkit" / "__init__.py").read_text()
    path = re.findall(r"[a-z0-9/_]+", text.split("in this order: ")[1].split(".\n")[0])
    assert len(path) >= 12
    assert sum(len((ROOT / "transferkit" / f"{name}.py").read_text().splitlines()) for name in path) <= 3600


@pytest.mark.xdist_group("kept-together")
def test_tests_that_share_what_is_slow_to_make_are_kept_together(request: pytest.FixtureRequest) -> None:
    """pytest-xdist does that by the node's id, silently in vain with a pytest that it does not know yet."""
    if request.config.getoption("loadgroup", False):
        assert request.node.nodeid.endswith("@kept-together")
