"""The command: it grades a class end to end, once, and says what it cannot do."""

import csv
import errno
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
    assert "lesson 04, submissions: 4; to grade: 1 (1 at once, about 1 min); graded before: 2; cannot be" in printed.out
    assert (tmp_path / "out" / SEED).read_bytes() == seed
    assert [path.stat().st_mtime_ns for path in records] == written


@pytest.fixture
def uncalled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which sandboxes are said to work, and none is started."""
    monkeypatch.setattr(sandbox, "why_not_contained", lambda: "")
    monkeypatch.setattr(
        "course.grading.session.subprocess.Popen", lambda *_, **__: pytest.fail("a process was started")
    )


@pytest.mark.usefixtures("uncalled")
def test_a_dry_run_says_what_would_be_graded_and_how_long_it_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_in(tmp_path, **{f"s{number:03}": RIGHT for number in range(200)})
    (tmp_path / "submitted" / "ada.zip").touch()
    (tmp_path / "submitted" / ".DS_Store").touch()
    assert grade(tmp_path, "--dry-run", "--workers", "2") == 0
    first, aside, *lines = capsys.readouterr().out.splitlines()
    assert first == "lesson 04, submissions: 201; to grade: 200 (2 at once, about 5 min); cannot be graded: 1"
    assert aside == "not looked at: .DS_Store"
    assert "ada: unreadable, ada.zip is an archive: unpack it into a folder ada/." in lines
    assert lines[1:] == [f"to grade: s{number:03}" for number in range(200)]
    assert not (tmp_path / "out").exists()


def _no_space(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.usefixtures("uncalled")
@pytest.mark.parametrize("full", [True, False])
def test_where_out_cannot_be_written_the_remedy_is_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    hand_in(tmp_path, ada=RIGHT)
    if full:
        monkeypatch.setattr(os, "fsync", _no_space)
    else:
        (tmp_path / "out").touch()
    assert grade(tmp_path) == 1
    said = capsys.readouterr().err
    assert said.strip().endswith("or choose another --out.")
    assert ("No space left on device): free some space there" in said) is full
    assert "TRANSFERKIT_WORK" not in said


@pytest.mark.usefixtures("uncalled")
def test_every_row_is_told_and_what_could_not_be_graded_makes_the_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "submitted").mkdir()
    for name in ("a.zip", "b.py", "[bold]c.txt", "d.IPYNB"):
        (tmp_path / "submitted" / name).write_bytes(b"no notebook")
    assert grade(tmp_path) == 1
    printed = capsys.readouterr()
    assert printed.out.startswith("lesson 04, submissions: 4; to grade: 0; cannot be graded: 4")
    assert "4 of 4 submissions could not be graded" in printed.err
    assert "] [bold]c: unreadable, it is not a notebook of format 4" in printed.out
    assert set(states(tmp_path)) == {"a", "b", "[bold]c", "d"}


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
    assert "source" in (tmp_path / "out" / HTML).read_text()
    assert json.loads((tmp_path / "out" / SEED).read_text()) == 5
    assert not [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", "1001"]]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--lesson", "99"], "lesson '99' has no exercises"),
        (["--lesson", "x"], "lesson '0x' has no exercises"),
        (["--seconds", "0"], "--seconds must be more than 0"),
        (["--seconds", "nan"], "--seconds must be more than 0"),
        (["--seconds", "inf"], "and at most 86400"),
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
