"""`transferkit batch` from the command line to the exit code."""

import csv
import errno
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from course.batch.command import PROBE, BatchReport
from course.batch.drive import BatchProgress, default_notebook_workers, notebook_workers
from course.batch.grid import Grid
from course.batch.records import CellFailure, Usage, failed, keep
from course.batch.show import show_progress
from course.batch.tasks import Place, Task, TaskLimits, plan_tasks
from tests.batch.conftest import WriteNotebook
from transferkit.__main__ import main
from transferkit.disk import atomic
from transferkit.errors import StoreError, UsageError
from transferkit.training.workers import default_workers as cores

Captured = pytest.CaptureFixture[str]
PARAMETERS = "n = 3  # help: how many\nlr = 0.1  # help: learning rate"


def outcomes(out: Path) -> list[tuple[str, str]]:
    with (out / "report.csv").open() as file:
        return [(row["parameters"], row["outcome"]) for row in csv.DictReader(file)]


@pytest.mark.long
@pytest.mark.filterwarnings("default")
def test_a_grid_runs_is_reported_and_is_not_run_again(
    notebook: WriteNotebook, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = "open('log', 'a').write(f'{n} {lr} {os.environ[\"TRANSFERKIT_CORES\"]}\\n')"
    path = notebook("nb", f"import os; {log}\nassert n != 2 or os.path.exists('mended')", parameters=PARAMETERS)
    (tmp_path / "grid.yaml").write_text("n: [1, 2]\n")
    command = ["batch", str(path), "--grid", str(tmp_path / "grid.yaml"), "-p", "lr", "1e-3", "--workers", "1"]
    command += ["--out", str(tmp_path / "out"), "--work", str(tmp_path / "work")]
    assert main(command) == 1
    printed = capsys.readouterr()
    assert "[1/2] done" in printed.out
    assert "left)" in printed.out
    assert "1 of 2 notebooks did not run to their end" in printed.err
    assert outcomes(tmp_path / "out") == [("n=2 lr=0.001", "failed"), ("n=1 lr=0.001", "done")]

    (path.parent / "mended").touch()
    assert main(command) == 0
    assert "2 of 2 notebooks are done, 1 of them before; this call ran 1" in capsys.readouterr().out
    lines = (path.parent / "log").read_text().splitlines()
    assert [line.split()[:2] for line in lines] == [["1", "0.001"], ["2", "0.001"], ["2", "0.001"]]
    assert {line.split()[2] for line in lines} == {str(cores("cpu"))}, "one worker has all the cores"
    assert not (tmp_path / "out" / PROBE).exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-p", "m", "1"], "has no parameter 'm'"),
        (["-p", "n", "1e-3"], "takes a whole number for 'n', not '1e-3'"),
        (["--workers", "-1"], "--workers and --per-gpu 1 or more"),
        (["--timeout", "-5"], "must be 0 or more"),
        (["--grid", "nowhere.yaml"], "could not be read"),
        (["--work", "s3://bucket/x"], "--work s3://bucket/x is an address"),
    ],
)
def test_wrong_usage_is_refused_before_anything_runs(
    notebook: WriteNotebook, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    path = notebook("nb", "open('ran', 'w'), n", parameters=PARAMETERS)
    assert main(["batch", str(path), "--out", str(tmp_path / "out"), *options]) == 2
    assert message in capsys.readouterr().err
    assert not (path.parent / "ran").exists()


def test_there_is_always_a_worker() -> None:
    assert default_notebook_workers() >= 1
    with pytest.raises(UsageError, match="0 workers"), notebook_workers(0):
        pass


def test_a_notebook_beside_others_uses_its_share_of_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFERKIT_CORES", "3")
    assert cores("cpu") == 3
    monkeypatch.delenv("TRANSFERKIT_CORES")
    assert cores("cpu") >= 1


def test_a_batch_itself_takes_little_memory_for_it_imports_no_torch() -> None:
    modules = ", ".join(f"course.batch.{name}" for name in ("command", "drive", "grid", "page", "show"))
    program = f"import sys, {modules}; print({{'torch', 'pandas'}} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "set()\n"


def test_a_name_given_twice_is_refused(notebook: WriteNotebook, tmp_path: Path, capsys: Captured) -> None:
    path = notebook("nb", "n", parameters=PARAMETERS)
    assert main(["batch", str(path), "--out", str(tmp_path / "out"), "-p", "n", "1", "-p", "n", "2"]) == 2
    assert "-p n is given twice" in capsys.readouterr().err


def test_a_kernel_that_is_not_here_is_refused_with_those_that_are(
    notebook: WriteNotebook, tmp_path: Path, capsys: Captured
) -> None:
    assert main(["batch", str(notebook("nb", "1")), "--out", str(tmp_path / "out"), "-k", "conda-env-x"]) == 2
    assert "--kernel conda-env-x is not installed here (there " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_kernel_that_is_asked_for_is_in_every_task_and_makes_it_another(
    notebook: WriteNotebook, tmp_path: Path
) -> None:
    path = notebook("nb", "1")
    usual, asked = (
        plan_tasks([path], Grid(), {}, Place(tmp_path, tmp_path, kernel), TaskLimits())[0] for kernel in ("", "ir")
    )
    assert asked.kernel == "ir"
    assert asked.name != usual.name


def test_a_dry_run_counts_and_writes_nothing(notebook: WriteNotebook, tmp_path: Path, capsys: Captured) -> None:
    path = notebook("one", "n", parameters=PARAMETERS)
    out = tmp_path / "out"
    ended = plan_tasks([path], Grid(({"n": 1},)), {}, Place(out, tmp_path / "work"), TaskLimits())[0]
    keep(ended, replace(failed(ended, CellFailure("")), outcome="done", usage=Usage(150.0)))  # of older code: no files
    (tmp_path / "grid.yaml").write_text("n: [1, 2]")
    command = ["batch", str(path.parent), str(path.parent / "sub"), "--out", str(out), "--work", str(tmp_path / "work")]
    notebook("sub/two", "n", parameters=PARAMETERS)
    before = sorted(tmp_path.rglob("*"))
    assert main([*command, "--grid", str(tmp_path / "grid.yaml"), "--workers", "2", "--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("2.5 minutes  one n=") == 2
    assert printed.count("not known  two n=") == 2
    assert "4 notebooks: 0 done before, 4 to run, 2 at once; about 2.5 minutes by what they took before" in printed
    assert "2 never ran here, so nothing is known of their minutes. Nothing was run or written." in printed
    assert f"{path.parent / 'sub'} holds notebooks too" in printed
    assert sorted(tmp_path.rglob("*")) == before


def test_where_the_output_cannot_be_written_another_out_is_advised(
    notebook: WriteNotebook, tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "out").write_text("a file")
    assert main(["batch", str(notebook("nb", "open('ran', 'w')")), "--out", str(tmp_path / "out" / "x")]) == 1
    said = capsys.readouterr().err
    assert "choose another --out." in said
    assert "TRANSFERKIT_WORK" not in said
    assert not (tmp_path / "notebooks" / "ran").exists()


def test_a_page_that_cannot_be_written_advises_another_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> None:
        with atomic.writing(path):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic, "write_bytes", full)
    with pytest.raises(StoreError, match="No space left on device.*free some space, or choose another --out"):
        BatchReport([Task("/a/nb.ipynb", {}, "1", "2", str(tmp_path), "/w")], tmp_path).write()


def test_the_first_line_comes_before_the_first_notebook_ends(tmp_path: Path, capsys: Captured) -> None:
    def batch() -> Iterator[BatchProgress]:
        yield BatchProgress(3, {"done": failed(task, CellFailure(""))}, 0.0, None)
        assert "3 notebooks, 1 of them done before; 2 to run." in capsys.readouterr().out
        yield BatchProgress(3, {}, 1.0, None, (task, failed(task, CellFailure("[red]\udcdc\nx"))))

    task = Task("/a/:boom:[b].ipynb", {}, "1", "2", str(tmp_path), "/w")
    show_progress(batch(), Console(emoji=False))
    assert ":boom:[b]: [red]\\xdc\\nx" in capsys.readouterr().out
