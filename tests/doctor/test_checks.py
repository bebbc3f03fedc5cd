"""What the doctor looks for, and what it says when something is missing."""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import psutil
import pytest

from course.doctor import checks as under_test
from course.doctor.checks import examine
from course.doctor.command import findings_table
from course.exercises.solutions import NOTEBOOKS
from transferkit.disk.prepared import IMAGES, LABELS, MANIFEST, file_checksum, read_manifest, write_manifest


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


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def restate(folder: Path, **changes: Any) -> None:
    """Write a manifest that holds the arrays' own checksums, and says something else that is not true."""
    checksums = {name: file_checksum(folder / name) for name in (IMAGES, LABELS)}
    write_manifest(folder, replace(read_manifest(folder, verify=False), checksums=checksums, **changes))


def confuse(folder: Path) -> None:
    shutil.copy(folder / LABELS, folder / IMAGES)
    restate(folder)


def put_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "no labels": lambda folder: (folder / LABELS).unlink(),
    "no images": lambda folder: (folder / IMAGES).unlink(),
    "no manifest": lambda folder: (folder / MANIFEST).unlink(),
    "half a manifest": lambda folder: cut(folder / MANIFEST, 100),
    "an empty manifest": lambda folder: cut(folder / MANIFEST, 0),
    "cut images": lambda folder: cut(folder / IMAGES, -1000),
    "empty labels": lambda folder: cut(folder / LABELS, 0),
    "other images": lambda folder: shutil.copy(folder / LABELS, folder / IMAGES),
    "a folder for images": lambda folder: put_a_folder(folder / IMAGES),
    "fewer images than stated": lambda folder: restate(folder, valid=(128, 999)),
    "a size that is not theirs": lambda folder: restate(folder, image_size=32),
    "labels for images": lambda folder: confuse(folder),
}


@pytest.mark.parametrize("large", [False, True], ids=["", "too large to hash"])
@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_data_set_is_not_called_ok(
    tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, how: str, large: bool
) -> None:
    monkeypatch.setattr(under_test, "QUICKLY_HASHED", 0 if large else 1e9)
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "data" / "photos"))
    assert under_test._data_set(folder).good
    DAMAGE[how](folder)
    finding = under_test._data_set(folder)
    assert (finding.found, finding.needed) == ("damaged", True)
    assert finding.verdict.startswith("missing: ")
    assert len(finding.remedy) > 20


def test_what_is_not_compared_is_said(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "QUICKLY_HASHED", 0)
    finding = under_test._data_set(tiny_folder)
    assert (finding.good, finding.found) == (
        True,
        "8 classes, 192 images of 48 pixels; too large to compare checksums here",
    )


def test_a_work_folder_that_cannot_be_written_is_not_called_ok(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link", "file/below"):
        finding = under_test._writable(tmp_path / name)
        assert finding.verdict.startswith("missing: check the folder"), name
    assert under_test._writable(tmp_path / "not" / "yet").good
    assert sorted(item.name for item in tmp_path.iterdir()) == ["file", "link"], "looking leaves nothing"

    def read_only(dir: Path) -> None:  # noqa: A002 - as the library calls it
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryFile", read_only)
    assert "cannot be written (Read-only file system)" in under_test._writable(tmp_path).found


def test_lessons_that_are_gone_or_broken_are_named(tmp_path: Path) -> None:
    here = Path(shutil.copytree(NOTEBOOKS, tmp_path / "notebooks"))
    assert under_test._lessons(here).good
    (here / "01_first_layer.ipynb").unlink()
    cut(here / "05_figure2.ipynb", 500)
    finding = under_test._lessons(here)
    assert finding.verdict.startswith("missing: 01_first_layer.ipynb, 05_figure2.ipynb cannot be read")
    assert (
        under_test._lessons(tmp_path / "nowhere").verdict == "not needed now: they come with a clone of the repository"
    )


def kernel(folder: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> under_test.Finding:
    """What is found of a kernel python3 that somebody has described so."""
    (folder / "kernels" / "python3").mkdir(parents=True, exist_ok=True)
    (folder / "kernels" / "python3" / "kernel.json").write_text(content)
    monkeypatch.setenv("JUPYTER_PATH", str(folder))
    return under_test._kernel()


def test_the_kernel_of_another_python_is_not_called_ok(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = json.dumps({"argv": ["/opt/other/bin/python", "-m", "ipykernel_launcher"], "display_name": "Python 3"})
    finding = kernel(tmp_path, monkeypatch, other)
    assert "/opt/other/bin/python, not" in finding.found
    assert str(tmp_path / "kernels" / "python3") in finding.verdict
    for program in (sys.executable, "python", "python3"):
        own = json.dumps({"argv": [program, "-m", "ipykernel_launcher"], "display_name": "Python 3"})
        assert kernel(tmp_path, monkeypatch, own).good
    assert "ipykernel install" in kernel(tmp_path, monkeypatch, "{").verdict
