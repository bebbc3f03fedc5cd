"""kill -9 of the runner at random moments: its notebooks end with it, and a rerun completes what was missing."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from course.batch.records import NOTEBOOK, find
from course.batch.tasks import Task
from tests.batch.conftest import WriteNotebook, plan, run
from transferkit.disk.atomic import PARTIAL

KILLS = int(os.environ.get("TRANSFERKIT_TEST_KILLS", "3"))
RUNNER = """
import sys
from pathlib import Path
from tests.batch.conftest import plan, run
folder = Path(sys.argv[1])
run(plan(sorted(folder.glob("*.ipynb")), folder.parent / "out"), workers=2)
"""
MARK = "TRANSFERKIT_TEST_NIGHT"
CELLS = (
    "import pathlib, subprocess, time\nchild = subprocess.Popen(['sleep', '300'], start_new_session=True)",
    "time.sleep(1)\nchild.kill()",
    "print('the end')",
)


def family(mark: str) -> list[psutil.Process]:
    """All processes with this mark in their environment, whoever their parent is."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def checked(tasks: list[Task], out: Path) -> int:
    """How many are done; each of these has run to its end, and nothing is half-written."""
    done = [task for task in tasks if find(task)]
    assert all("the end" in str(nbformat.read(task.folder / NOTEBOOK, as_version=4).cells[-1].outputs) for task in done)
    for path in out.rglob("*.ipynb"):
        if not path.name.startswith(PARTIAL):
            nbformat.read(path, as_version=4)
    return len(done)


@pytest.mark.long
@pytest.mark.filterwarnings("default")
def test_a_killed_runner_takes_its_notebooks_along_and_loses_nothing_that_is_done(
    notebook: WriteNotebook, tmp_path: Path
) -> None:
    generator = random.Random(0)
    paths = [notebook(f"nb{number}", *CELLS) for number in range(KILLS + 2)]
    tasks = plan(paths, tmp_path / "out")
    mark = str(tmp_path)
    for _ in range(KILLS):
        before = checked(tasks, tmp_path / "out")
        command = [sys.executable, "-c", RUNNER, str(paths[0].parent)]
        with subprocess.Popen(command, env=os.environ | {MARK: mark}, stdout=subprocess.DEVNULL) as runner:
            while runner.poll() is None and len(family(mark)) < 3:  # the runner, a notebook's process, and a kernel
                time.sleep(0.02)
            time.sleep(generator.uniform(0, 4))
            runner.send_signal(signal.SIGKILL)
        end = time.monotonic() + 10
        while family(mark) and time.monotonic() < end:
            time.sleep(0.05)
        assert not family(mark), "what the notebooks had started must end with the runner"
        assert checked(tasks, tmp_path / "out") >= before
    kept = {task.name: (task.folder / "receipt.json").stat().st_mtime_ns for task in tasks if find(task)}
    records = run(tasks, workers=2)
    assert {record.outcome for record in records.values()} == {"done"}
    assert checked(tasks, tmp_path / "out") == len(tasks)
    for task in tasks:
        if task.name in kept:
            assert (task.folder / "receipt.json").stat().st_mtime_ns == kept[task.name], "done, and yet run again"
    assert not list((tmp_path / "out").rglob(f"{PARTIAL}*")), "what killed writers left is cleaned up"
