"""`python -m transferkit doctor`: what it prints, and its exit codes."""

from pathlib import Path

import pytest

from course.doctor import outlook as under_test
from course.doctor.checks import Finding
from transferkit.__main__ import main
from transferkit.training.forecast import Probe

PROBE = Probe((1e-3,) * 8, (1e-4,) * 8, read=5e-4, folded=1e-4, start=1.0, workers=2, busy=0.9)


def test_it_shows_findings_minutes_and_the_comparison(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(under_test, "probe", lambda *_, **__: PROBE)
    monkeypatch.setattr("course.doctor.checks.examine", lambda work: (Finding("Python", "3.13"),))
    assert main(["doctor", "--device", "cpu", "--work", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "05_figure2" in shown
    assert "one grid, paper" in shown
    assert "90% of the processor" in shown.replace("\n", " ")
    assert "No network has been trained" in shown
    assert "photos, preset quick: Whether the bases have learned is not known (4 of them" in shown


def test_what_is_needed_and_missing_is_a_failure_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lacking = Finding("memory", "0.1 GB free", good=False, remedy="close something")
    monkeypatch.setattr("course.doctor.checks.examine", lambda work: (lacking,))
    assert main(["doctor", "--quick", "--work", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "missing: close something" in said.out
    assert said.err.strip() == "transferkit: memory: not as needed; the table above says what to do."


def test_a_device_that_is_not_there_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--device", "abacus", "--work", str(tmp_path)]) == 2
    assert "'abacus' is no device" in capsys.readouterr().err
