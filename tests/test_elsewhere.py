"""Where the repository installs itself for others (tests on a push, a dev container, Binder), and how to cite it."""

import json
import os
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from pybtex.database import parse_file

import transferkit as tk

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SUPPORTED = [version for minor in range(30) if (version := f"3.{minor}") in SpecifierSet(PROJECT["requires-python"])]
JOBS: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text())["jobs"]
DEVCONTAINER: dict[str, Any] = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
PUBLIC = [
    "README.md", "CONTRIBUTING.md", "CITATION.cff", "course/commands.md", ".github/workflows/tests.yml",
    ".devcontainer/devcontainer.json", ".binder/postBuild",
]  # fmt: skip


def lines_of(job: str) -> list[str]:
    """What a job of the workflow runs, line by line."""
    return [line for step in JOBS[job]["steps"] for line in step.get("run", "").splitlines()]


def made(lines: list[str]) -> set[str]:
    """The targets of make that these lines name."""
    return {line.split()[1] for line in lines if line.startswith("make ")}


def extras_of(target: str) -> list[str]:
    """The extras that the Makefile installs for a target."""
    (found,) = re.findall(rf"^{re.escape(target)}: EXTRAS := ?\[?([\w,]*)\]?$", makefile(), re.MULTILINE)
    return str(found).split(",")


def makefile() -> str:
    return (ROOT / "Makefile").read_text()


def test_linux_tests_every_python_that_is_supported_as_continuous_integration_does() -> None:
    assert JOBS["linux"]["strategy"]["matrix"]["python"] == SUPPORTED
    assert ".ci/run" in lines_of("linux")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_macos_makes_targets_and_runs_lessons_that_exist() -> None:
    targets = made(lines_of("macos"))
    assert "figures" in targets
    for target in targets:
        assert re.search(rf"^{re.escape(target)}:", makefile(), re.MULTILINE), target
    lessons = re.findall(r"notebooks/\S+", "\n".join(lines_of("macos")))
    assert lessons
    assert all((ROOT / lesson).is_file() for lesson in lessons)


@pytest.mark.parametrize("name", JOBS)
def test_a_job_ends_and_keeps_what_pip_downloaded(name: str) -> None:
    assert 0 < JOBS[name]["timeout-minutes"] <= 60
    (python,) = [step["with"] for step in JOBS[name]["steps"] if "setup-python" in step.get("uses", "")]
    assert python["cache"] == "pip"
    assert all((ROOT / path).is_file() for path in python["cache-dependency-path"].split())


def test_the_container_installs_the_lessons_where_make_and_the_editor_look() -> None:
    (target,) = made([DEVCONTAINER["postCreateCommand"]])
    assert "lessons" in extras_of(target)
    settings = DEVCONTAINER["customizations"]["vscode"]["settings"]
    assert settings["python.defaultInterpreterPath"].endswith(f"/{Path(target).parent}/bin/python")
    assert re.findall(r"python:([\d.]+)-", DEVCONTAINER["image"])[0] in SUPPORTED
    for name in DEVCONTAINER["customizations"]["codespaces"]["openFiles"]:
        assert (ROOT / name).is_file()


def test_binder_installs_the_tested_versions_with_the_lessons(tmp_path: Path) -> None:
    told = tmp_path / "told"
    (tmp_path / "python").write_text(f'#!/bin/sh\necho "$@" > {shlex.quote(str(told))}\n')
    (tmp_path / "python").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    subprocess.run([ROOT / ".binder" / "postBuild"], cwd=ROOT, env={**os.environ, "PATH": path}, check=True)
    words = told.read_text().split()
    assert words[:3] == ["-m", "pip", "install"]
    assert words[words.index("--editable") + 1] == ".[lessons]"
    assert (ROOT / words[words.index("--constraint") + 1]).is_file()
    assert (ROOT / ".binder" / "runtime.txt").read_text().strip().removeprefix("python-") in SUPPORTED


def test_the_citation_has_the_version_and_the_paper_of_the_references() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == tk.__version__
    (paper,) = citation["references"]
    entry = parse_file(ROOT / "course" / "references.bib").entries["yosinski2014"]
    assert (paper["title"], str(paper["year"])) == (entry.fields["title"], entry.fields["year"])
    assert paper["collection-title"] == entry.fields["booktitle"]
    assert paper["identifiers"][0]["value"] == f"arXiv:{entry.fields['eprint']}"
    names = [(" ".join(one.first_names), " ".join(one.last_names)) for one in entry.persons["author"]]
    assert [(one["given-names"], one["family-names"]) for one in paper["authors"]] == names


@pytest.mark.parametrize("name", PUBLIC)
def test_no_address_of_the_repository_is_invented(name: str) -> None:
    text = (ROOT / name).read_text()
    assert not re.findall(r"(?:github\.com|/github|/gh)/(?!OWNER/NAME)[\w-]+/\w+", text)


def test_contributing_leads_to_the_page_of_the_course() -> None:
    assert "](course/contributing.md)" in (ROOT / "CONTRIBUTING.md").read_text()
