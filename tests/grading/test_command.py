"""The command: it grades a class end to end, once, and says what it cannot do."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from course.grading import sandbox
from course.grading.attacks import RIGHT, WRONG
from course.grading.hostile import notebook
from course.grading.page import CSV, HTML
from course.grading.records import RECORDS, SEED
from transferkit.__main__ import main

STOPPED_PARENT = "import os, time; os.kill(os.getppid(), 19); time.sleep(3600)"


def hand_in(folder: Path, **answers: str) -> Path:
    for student, source in answers.items():
        (folder / "submitted" / student / "lesson04").mkdir(parents=True)
        (folder / "submitted" / student / "lesson04" / "chop.ipynb").write_bytes(notebook(source))
    return folder / "submitted"


def grade(folder: Path, *arguments: str) -> int:
    return main(["grade", str(folder / "submitted"), "--lesson", "4", "--out", str(folder / "out"), *arguments])


def states(folder: Path) -> dict[str, str]:
    rows = csv.DictReader((folder / "out" / CSV).read_text().splitlines())
    return {row["student"]: row["state"] for row in rows if row["exercise"] == "chop"}


@pytest.mark.long
@pytest.mark.usefixtures("sandbox")
def test_a_class_is_graded_once_and_with_one_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hand_in(tmp_path, ada=RIGHT, ben=WRONG)
    assert grade(tmp_path, "--workers", "1") == 0
    assert states(tmp_path) == {"ada": "passed", "ben": "wrong"}
    assert (tmp_path / "out" / HTML).exists()
    seed, records = (tmp_path / "out" / SEED).read_bytes(), sorted((tmp_path / "out" / RECORDS).iterdir())
    written = [path.stat().st_mtime_ns for path in records]
    assert len(records) == 2

    hand_in(tmp_path, cy="x = 1")
    (tmp_path / "submitted" / "dee.ipynb").write_bytes(b"{")
    assert grade(tmp_path, "--workers", "1") == 1, "one is not a notebook"
    printed = capsys.readouterr()
    assert printed.out.count("(before)") == 2
    assert "1 of 4 submissions could not be graded" in printed.err
    assert states(tmp_path) == {"ada": "passed", "ben": "wrong", "cy": "error", "dee": "unreadable"}
    assert (tmp_path / "out" / SEED).read_bytes() == seed
    assert [path.stat().st_mtime_ns for path in records] == written


@pytest.mark.long
def test_without_a_sandbox_it_is_refused_and_with_the_flag_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(tmp_path, ada=RIGHT, ben="import subprocess; subprocess.Popen(['sleep', '1001'], start_new_session=True)")
    monkeypatch.setattr(sandbox, "why_not_contained", lambda: "bubblewrap (bwrap) is not installed here.")
    assert grade(tmp_path) == 2
    assert "would not be contained here: bubblewrap (bwrap) is not installed" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert grade(tmp_path, "--uncontained", "--workers", "1", "--seed", "5") == 0
    assert "runs with your rights" in capsys.readouterr().out
    assert states(tmp_path) == {"ada": "passed", "ben": "error"}
    assert json.loads((tmp_path / "out" / SEED).read_text()) == 5
    assert not [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", "1001"]]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--lesson", "99"], "lesson '99' has no exercises"),
        (["--lesson", "x"], "lesson '0x' has no exercises"),
        (["--seconds", "0"], "--seconds must be more than 0"),
        (["--workers", "0"], "--workers 1 or more"),
        (["--seed", "-1"], "--seed 0 or more"),
    ],
)
def test_wrong_usage_is_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    hand_in(tmp_path, ada=RIGHT)
    assert grade(tmp_path, *arguments) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.long
@pytest.mark.usefixtures("sandbox")
def test_a_grader_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    hand_in(tmp_path, eve=STOPPED_PARENT)
    line = ["grade", str(tmp_path / "submitted"), "--lesson", "04", "--out", str(tmp_path / "out")]
    with subprocess.Popen([sys.executable, "-m", "transferkit", *line], stdout=subprocess.DEVNULL) as runner:
        family = _family_with_a_stopped_one(runner.pid)
        os.kill(runner.pid, signal.SIGKILL)
    assert not psutil.wait_procs(family, timeout=10)[1]


def _family_with_a_stopped_one(pid: int) -> list[psutil.Process]:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        family = psutil.Process(pid).children(recursive=True)
        if any(psutil.pid_exists(one.pid) and one.status() == psutil.STATUS_STOPPED for one in family):
            return family
        time.sleep(0.05)
    raise AssertionError("the attack was not seen")
