"""What the doctor looks for, and what it says when something is missing."""

import shutil
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import psutil
import pytest

from course.doctor import checks as under_test
from course.doctor.checks import examine
from course.doctor.command import findings_table


def found(work: Path) -> dict[str, under_test.Finding]:
    return {finding.what: finding for finding in examine(work)}


def test_this_machine_is_described_in_words(tiny_folder: Path) -> None:
    findings = found(tiny_folder.parent.parent)
    assert findings["data: tiny"].found == "8 classes, 192 images of 48 pixels"
    assert findings["data: photos"].verdict.startswith("not needed now: lessons prepare it")
    assert {"Python", "processor", "GPU", "memory", "disk", "Chromium", "packages: lessons"} <= set(findings)
    assert findings_table(tuple(findings.values())).row_count == len(findings)


def test_a_package_that_is_too_old_or_not_there_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        if name == "ipywidgets":
            raise PackageNotFoundError(name)
        return "0.1" if name == "torch" else "99"

    monkeypatch.setattr(under_test, "version", version)
    findings = found(tmp_path)
    assert "missing: torch 0.1; run 'pip install --editable '.''" in findings["packages: library"].verdict
    assert "ipywidgets is not there" in findings["packages: lessons"].verdict
    assert "'.[lessons]'" in findings["packages: lessons"].verdict


def test_too_little_memory_and_disk_is_reported_as_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = psutil.virtual_memory()._replace(available=10**8)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: type("Usage", (), {"free": 5e8}))
    findings = found(tmp_path / "not" / "there")
    assert "missing: close something" in findings["memory"].verdict
    assert "missing: free some space" in findings["disk"].verdict
    assert "0.5 GB free" in findings["disk"].found


def test_a_damaged_data_set_is_not_called_ok(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "photos"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{")
    assert found(tmp_path)["data: photos"].verdict.startswith("missing: ")
