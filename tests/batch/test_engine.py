"""The papermill engine: it refuses what plain papermill accepts, and its files are small and whole."""

import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from nbclient.exceptions import CellTimeoutError
from papermill.engines import papermill_engines

from course.batch import engine
from course.batch.engine import OUTPUT_LIMIT, TransferkitEngine, TruthfulClient
from course.processes import describe_exit
from tests.batch.conftest import WriteNotebook
from transferkit.disk.atomic import PARTIAL
from transferkit.errors import UsageError

ROOT = Path(__file__).parents[2]
PARAMETERS = "n = 3  # help: how many\nname = 'x'  # help: a word"
BAR = "import sys\nfor i in range(2000):\n    print(f'\\r{i:5d} of 2000', end='', flush=i % 10 == 0)"

pytestmark = pytest.mark.filterwarnings("default")  # those of Jupyter's own machinery are not ours to mend


@pytest.fixture(autouse=True)
def _registered() -> None:
    papermill_engines.register("transferkit", TransferkitEngine)


def execute(path: Path, out: Path, **options: object) -> nbformat.NotebookNode:
    """The executed notebook, read from the file."""
    papermill.execute_notebook(path, out, engine_name="transferkit", progress_bar=False, **options)
    executed: nbformat.NotebookNode = nbformat.read(out, as_version=4)
    return executed


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"m": 3}, "has no parameter 'm'"),
        ({"n": "1e-3"}, "takes a whole number for 'n', not '1e-3'"),
        ({"name": "y"}, "no cell below the parameters cell reads it"),
    ],
)
def test_parameters_that_do_nothing_are_refused_before_anything_is_written(
    notebook: WriteNotebook, tmp_path: Path, given: dict[str, object], why: str
) -> None:
    path = notebook("nb", "print(n)", parameters=PARAMETERS)
    with pytest.raises(UsageError, match=re.escape(why)):
        execute(path, tmp_path / "out.ipynb", parameters=given)
    assert not (tmp_path / "out.ipynb").exists()


LISTENING = """import psutil
ports = [one for one in psutil.Process().net_connections('tcp') if one.status == psutil.CONN_LISTEN]
print(len(ports) >= 5)  # the kernel's own; one more is the debugger's"""


@pytest.mark.parametrize(("depth", "tcp"), [(0, False), (3, True)])
def test_a_kernel_takes_no_port_that_another_could_take_first(
    notebook: WriteNotebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, depth: int, *, tcp: bool
) -> None:
    """Where the path of temporary files is too long for a socket, the kernel uses TCP, as it does by default."""
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        folder = Path(short, *["a" * 30] * depth)
        folder.mkdir(parents=True, exist_ok=True)
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        executed = execute(notebook("nb", LISTENING), tmp_path / "out.ipynb")
        assert executed.cells[-1].outputs[0].text == f"{tcp}\n"
        assert not list(folder.glob("kernel-*"))


def test_a_progress_bar_leaves_one_line(notebook: WriteNotebook, tmp_path: Path) -> None:
    path = notebook("nb", BAR, f"print('y' * {OUTPUT_LIMIT + 1})", "print(n)", parameters=PARAMETERS)
    executed = execute(path, tmp_path / "out.ipynb", parameters={"n": 7})
    outputs = [cell.outputs for cell in executed.cells[2:]]
    assert [output.text for output in outputs[0]] == [" 1999 of 2000"]
    assert "is not kept" in outputs[1][0].text
    assert (tmp_path / "out.ipynb").stat().st_size < 20_000
    assert executed.metadata.papermill.exception is None
    assert {cell.metadata.papermill.status for cell in executed.cells} == {"completed"}


def test_a_cell_whose_messages_come_slowly_or_not_at_all_is_not_timed_out(
    notebook: WriteNotebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ZeroMQ drops messages of a cell that prints too fast; here the one that says it has ended."""
    process = TruthfulClient.process_message

    def slowly(client: TruthfulClient, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        time.sleep(0.01)
        lost = msg["content"].get("execution_state") == "idle" and "flush=True" in cell.source
        return None if lost else process(client, msg, cell, cell_index)

    monkeypatch.setattr(TruthfulClient, "process_message", slowly)
    monkeypatch.setattr(engine, "SILENCE_SECONDS", 0.8)
    path = notebook("nb", "for i in range(200): print(i, flush=True)", "print('on')")
    executed = execute(path, tmp_path / "out.ipynb", seconds=100)
    printed, note = executed.cells[0].outputs
    assert printed.text == "".join(f"{i}\n" for i in range(200))
    assert "some of it is missing" in note.text
    assert executed.cells[1].outputs[0].text == "on\n"
    assert {cell.metadata.papermill.status for cell in executed.cells} == {"completed"}


def test_one_long_line_takes_no_longer_than_its_printing(notebook: WriteNotebook, tmp_path: Path) -> None:
    """With the regular expressions of nbclient it takes more than a minute."""
    started = time.process_time()
    executed = execute(notebook("nb", "print(list(range(40_000)))"), tmp_path / "out.ipynb")
    assert executed.cells[0].outputs[0].text == f"{list(range(40_000))}\n"
    assert time.process_time() - started < 15


def test_a_timeout_leaves_what_there_was_and_calls_nothing_complete(notebook: WriteNotebook, tmp_path: Path) -> None:
    out = tmp_path / "out.ipynb"
    path = notebook("nb", "import time; print('so far', flush=True); time.sleep(60)", "2")
    with pytest.raises(CellTimeoutError):
        execute(path, out, seconds=6)
    executed = nbformat.read(out, as_version=4)
    assert [cell.metadata.papermill.status for cell in executed.cells] == ["failed", "pending"]
    assert executed.cells[0].outputs[0].text == "so far\n"
    assert executed.metadata.papermill.exception is True
    assert not list(tmp_path.glob(f"{PARTIAL}*"))


def test_papermill_finds_it_by_its_entry_point(notebook: WriteNotebook, tmp_path: Path) -> None:
    path = notebook("nb", "print(n)", parameters=PARAMETERS)
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    installed = tmp_path / "site" / "transferkit-0.dist-info"
    installed.mkdir(parents=True)
    lines = (
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in of.items()) for group, of in points.items()
    )
    (installed / "entry_points.txt").write_text("".join(lines))
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: transferkit\nVersion: 0\n")
    command = [sys.executable, "-m", "papermill", "--engine", "transferkit", str(path), str(tmp_path / "out.ipynb")]
    environment = os.environ | {"PYTHONPATH": f"{installed.parent}{os.pathsep}{ROOT}"}
    ended = subprocess.run(
        [*command, "-p", "nn", "4"], env=environment, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert ended.returncode == 1
    assert "has no parameter 'nn' (did you mean 'n'?)" in ended.stderr
    assert not (tmp_path / "out.ipynb").exists()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (-9, "was killed by SIGKILL (out of memory?)"),
        (-11, "was killed by SIGSEGV"),
        (3, "ended itself with exit status 3"),
        (None, "vanished"),
    ],
)
def test_how_a_process_ended_is_described_in_words(status: int | None, words: str) -> None:
    assert describe_exit(status) == words
