"""One bad night: each fault costs its own row, is named correctly, and is mended by a rerun.

Notebooks misbehave until a file `mended` lies beside them, so that the rerun runs the very same notebooks.
"""

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
import psutil
import pytest

from course.batch.records import NOTEBOOK, PAGE, Record, find
from course.batch.tasks import Task, TaskLimits
from tests.batch.conftest import WriteNotebook, plan, run, write_notebook
from transferkit.disk.atomic import PARTIAL

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("default"), pytest.mark.xdist_group("faults")]

START = (
    "import os, pathlib, resource, signal, subprocess, sys, time\npathlib.Path(NAME + '.log').open('a').write('ran ')"
)
LAST = "print('the end of', NAME)"
FAULTS = {
    "good": "pass",
    "error": "print('before'); raise ValueError('a <b>bold</b> error')",
    "exits": "sys.exit()",
    "kernel_killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "worker_killed": "os.kill(os.getppid(), signal.SIGKILL); time.sleep(600)",
    "endless": "child = subprocess.Popen(['sleep', '600'], start_new_session=True); "
    "pathlib.Path('child').write_text(str(child.pid)); time.sleep(600)",
    "disk_full": "resource.prlimit(os.getppid(), resource.RLIMIT_FSIZE, (9000, 9000)); print('x' * 20_000)",
    "deleted": "pass",
    "blocked": "pass",
}
EXPECTED = {
    "good": ("done", ""),
    "error": ("failed", "ValueError: a <b>bold</b> error"),
    "exits": ("failed", "ended itself before its last cell"),
    "kernel_killed": ("died", "the kernel died: it was killed by SIGKILL"),
    "worker_killed": ("died", "the process that ran the notebook died: it was killed by SIGKILL"),
    "endless": ("timeout", "--timeout"),
    "disk_full": ("failed", "free some space, or choose another --out"),
    "deleted": ("failed", "cannot be read (No such file or directory)"),
    "blocked": ("failed", "could not be"),
}


@dataclass(frozen=True)
class Night:
    """What the batch left: the notebooks' folder, its tasks by name, and the records of the first and second call."""

    folder: Path
    tasks: dict[str, Task]
    first: dict[str, Record]
    kept: dict[str, bool]
    second: dict[str, Record]


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("night")
    for name, fault in FAULTS.items():
        cells = (f"NAME = {name!r}\n{START}", f"if not pathlib.Path('mended').exists(): {fault}", LAST)
        write_notebook(folder / f"{name}.ipynb", *cells)
    planned = plan(sorted(folder.glob("*.ipynb")), folder / "out")
    tasks = {Path(task.notebook).stem: task for task in planned}
    tasks["endless"] = replace(tasks["endless"], limits=TaskLimits(seconds=15, cores=1))
    shutil.move(folder / "deleted.ipynb", folder / "aside")
    tasks["blocked"].folder.parent.mkdir(parents=True)
    tasks["blocked"].folder.write_text("a file where a folder should be")
    first = run(list(tasks.values()), workers=2)
    kept = {name: find(task) is not None for name, task in tasks.items()}
    whole(folder / "out")

    (folder / "mended").touch()
    shutil.move(folder / "aside", folder / "deleted.ipynb")
    tasks["blocked"].folder.unlink()
    second = run([replace(task, limits=TaskLimits(seconds=200, cores=1)) for task in tasks.values()], workers=2)
    return Night(folder, tasks, first, kept, second)


def whole(out: Path) -> None:
    """Nothing is half-written: no leftovers, and every notebook can be read."""
    assert not list(out.rglob(f"{PARTIAL}*"))
    for path in out.rglob(NOTEBOOK):
        nbformat.read(path, as_version=4)


def times_run(night: Night, name: str) -> int:
    log = night.folder / f"{name}.log"
    return log.read_text().count("ran") if log.exists() else 0


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_named_correctly(night: Night, name: str) -> None:
    outcome, message = EXPECTED[name]
    record = night.first[name]
    assert record.outcome == outcome
    assert message in (record.failure.error if record.failure else "")


def test_only_what_ran_to_its_end_counts_as_done(night: Night) -> None:
    assert [name for name, done in night.kept.items() if done] == ["good"]


def test_a_rerun_completes_exactly_what_was_missing(night: Night) -> None:
    assert {record.outcome for record in night.second.values()} == {"done"}
    assert times_run(night, "good") == 1
    for name in ("error", "exits", "kernel_killed", "worker_killed", "endless", "disk_full"):
        assert times_run(night, name) == 2, name
    for name in ("deleted", "blocked"):
        assert times_run(night, name) == 1, name
    for name, task in night.tasks.items():
        assert f"the end of {name}" in (task.folder / NOTEBOOK).read_text()
        assert (task.folder / PAGE).stat().st_size > 10_000
    whole(night.folder / "out")


def test_a_third_call_runs_nothing_and_takes_no_time(night: Night) -> None:
    started = time.monotonic()
    again = run(list(night.tasks.values()))
    assert time.monotonic() - started < 3
    assert again == night.second
    assert times_run(night, "good") == 1


def test_a_notebook_whose_files_were_touched_is_not_done(night: Night, tmp_path: Path) -> None:
    shutil.copytree(night.folder / "out", tmp_path / "out")
    task = replace(night.tasks["good"], out=str(tmp_path / "out"))
    assert find(task)
    (task.folder / NOTEBOOK).write_text("{}")
    assert find(task) is None


def test_the_process_a_timed_out_notebook_had_detached_is_gone(night: Night) -> None:
    assert not psutil.pid_exists(int((night.folder / "child").read_text()))


def test_a_record_says_where_it_went_wrong_and_what_it_took(night: Night) -> None:
    record = night.first["error"]
    assert record.failure
    assert record.failure.cell == 2
    assert "raise ValueError" in record.failure.source
    assert "ValueError" in record.failure.traceback
    assert "\x1b" not in record.failure.traceback
    assert list(record.usage.cell_seconds) == ["1", "2"]
    assert record.usage.peak_megabytes > 20
    assert 0.1 < record.usage.processor_seconds < 200
    assert record.origin.versions["papermill"]
    assert record.origin.device


def test_what_is_broken_off_is_not_called_completed(night: Night, notebook: WriteNotebook, tmp_path: Path) -> None:
    path = notebook("dies", "1", "print('so far'); import os; os._exit(3)", "2")
    (task,) = plan([path], tmp_path / "out")
    record = run([task], retries=1)["dies"]
    assert record.attempt == 2
    assert record.failure
    assert record.failure.error == "the kernel died: it ended itself with exit status 3"
    cells = nbformat.read(task.folder / NOTEBOOK, as_version=4).cells
    assert [cell.metadata.papermill.status for cell in cells] == ["completed", "failed", "pending"]


def test_the_same_batch_started_twice_at_once_runs_each_notebook_once(notebook: WriteNotebook, tmp_path: Path) -> None:
    cell = "import pathlib, time\npathlib.Path('{0}.log').open('a').write('ran ')\ntime.sleep(0.5)"
    tasks = plan([notebook(name, cell.format(name)) for name in ("one", "two")], tmp_path / "out")
    seen: list[dict[str, Record]] = []
    twins = [threading.Thread(target=lambda: seen.append(run(tasks))) for _ in range(2)]
    for twin in twins:
        twin.start()
    for twin in twins:
        twin.join()
    assert seen[0] == seen[1]
    assert {record.outcome for record in seen[0].values()} == {"done"}
    assert (tmp_path / "notebooks" / "one.log").read_text() == "ran "
    assert (tmp_path / "notebooks" / "two.log").read_text() == "ran "


def test_a_folder_that_cannot_be_written_is_refused_before_anything_runs() -> None:
    program = (  # nobody, in the user's sense, could not read these modules
        "import locale, os, sys\n"
        "import course.batch.drive, course.batch.kernels, course.batch.page, course.batch.show, course.commands\n"
        "from transferkit.__main__ import main\n"
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"  # root may write everywhere
        "sys.exit(main(sys.argv[1:]))"
    )
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name), Path(name) / "out"
        path = write_notebook(folder / "nb.ipynb", "open('ran', 'w')")
        out.mkdir()
        folder.chmod(0o755)
        out.chmod(0o555)
        command = [sys.executable, "-c", program, "batch", str(path), "--out", str(out)]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == 1
        assert (
            "could not be written (Permission denied): check the folder and its permissions, or choose another"
            in ended.stderr
        )
        assert "Traceback" not in ended.stderr
        assert not list(out.iterdir())
        assert not (folder / "ran").exists()
