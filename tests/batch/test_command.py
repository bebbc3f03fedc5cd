"""`transferkit batch` from the command line to the exit code."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from course.batch.command import PROBE
from course.batch.drive import default_notebook_workers, notebook_workers
from tests.batch.conftest import WriteNotebook
from transferkit.__main__ import main
from transferkit.errors import UsageError
from transferkit.training.workers import default_workers as cores

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
